/** A value that JSON text can name and JSON text cannot hold. */
export class NotExact extends Error {}

/**
 * As JSON text, saying the same as the text it was read from. Throws `NotExact`: 1e999 is read as a number that is none
 * and would be written as null, and what is nested too deeply cannot be written at all.
 */
export function exactJson(value: unknown): string {
  try {
    return JSON.stringify(value, (key, inner: unknown) => {
      if (typeof inner === 'number' && !Number.isFinite(inner)) throw new NotExact(`${key}: the number is too large`)
      return inner
    })
  } catch (error) {
    throw error instanceof NotExact ? error : new NotExact('it is nested too deeply')
  }
}
