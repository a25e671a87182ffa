import { storedName } from '../../bridge/snowpipe/address.ts'
import { SnowhatError } from '../../src/errors.ts'

/** Words that cannot be an unquoted name in Snowflake [documented: reserved and limited keywords]. */
const RESERVED = new Set(
  `ACCOUNT ALL ALTER AND ANY AS BETWEEN BY CASE CAST CHECK COLUMN CONNECT CONNECTION CONSTRAINT CREATE CROSS CURRENT
  CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DATABASE DELETE DISTINCT DROP ELSE EXISTS FALSE FOLLOWING FOR
  FROM FULL GRANT GROUP GSCLUSTER HAVING ILIKE IN INCREMENT INNER INSERT INTERSECT INTO IS ISSUE JOIN LATERAL LEFT LIKE
  LOCALTIME LOCALTIMESTAMP MINUS NATURAL NOT NULL OF ON OR ORDER ORGANIZATION QUALIFY REGEXP REVOKE RIGHT RLIKE ROW ROWS
  SAMPLE SCHEMA SELECT SET SOME START TABLE TABLESAMPLE THEN TO TRIGGER TRUE TRY_CAST UNION UNIQUE UPDATE USING VALUES VIEW
  WHEN WHENEVER WHERE WITH`.split(/\s+/),
)
const MAX_LENGTH = 255

/** A configured name as SQL: the same that the bridge streams into. Throws `E_CONFIG_INVALID` for what no name can be. */
export function identifier(configured: string): string {
  return quoted(storedName(configured))
}

/** The column that takes the values of a JSON key: Snowflake finds it whatever the case [documented], so there is one for all of them. */
export function columnName(key: string): string {
  return quoted(key.toUpperCase())
}

/** A name as it is, in double quotes where SQL needs them. Throws `E_CONFIG_INVALID`. */
export function quoted(name: string): string {
  if (!isName(name))
    throw new SnowhatError(
      'E_CONFIG_INVALID',
      `${JSON.stringify(name)} cannot be a name in Snowflake: it is empty, longer than ${MAX_LENGTH} characters or has control characters`,
    )
  return /^[A-Z_][A-Z0-9_$]*$/.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** A line break would end a comment, and what follows it would be run. */
export function isName(name: string): boolean {
  return name !== '' && name.length <= MAX_LENGTH && !/[\p{Cc}\u2028\u2029]/u.test(name)
}

/** A text literal; backslashes are escapes in Snowflake's [documented]. */
export function textLiteral(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
