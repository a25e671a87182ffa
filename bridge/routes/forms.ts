/*
 * Forms that texts of a reading or record must have, whichever route it takes. What Snowflake would refuse row by row is better
 * refused here, where the original bytes are kept.
 */

export const ISO_8601 = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/
export const STREAM = /^[0-9a-z]{8}$/
/** `<stream>.<seq>` of the one before. */
export const AFTER = /^[0-9a-z]{8}\.\d+$/
