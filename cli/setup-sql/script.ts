import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { userInJwt } from '../../bridge/snowpipe/account.ts'
import type { PhonesSettings } from '../../src/phones-section.ts'
import { identifier, quoted, textLiteral } from './identifier.ts'

/** The files in `sql/`, which are written for the default names. */
export type ScriptFile = 'setup' | 'token' | 'views' | 'phones' | 'alerts' | 'retention' | 'upgrade' | 'teardown'

/** What a set-up is made for. Names as they are configured. */
export interface SetUp {
  readonly database: string
  readonly schema: string
  readonly table: string
  readonly user: string
  readonly role: string
  readonly pipes: readonly string[]
  /** Where phones go. */
  readonly phones: Pick<PhonesSettings, 'database' | 'schema' | 'activity_schema'>
  /** Base64 of the public key, or `undefined` to leave the mark that stands for it. */
  readonly publicKey: string | undefined
  /** Addresses the user may come from; none leaves the mark. */
  readonly allowedIps: readonly string[]
  /** Days that readings are kept. */
  readonly retentionDays: number
}

export const DEFAULT_SET_UP: SetUp = {
  database: 'DEMO',
  schema: 'DEMO',
  table: 'SENSEHAT_SENSOR_DATA',
  user: 'SENSEHAT_STREAMING_USER',
  role: 'SENSEHAT_STREAMING_ROLE',
  pipes: ['SENSEHAT_STREAMING_PIPE'],
  phones: { database: 'ACTIVITY_DB', schema: 'RAW_DATA', activity_schema: 'PROCESSED_DATA' },
  publicKey: undefined,
  allowedIps: [],
  retentionDays: 400,
}

/** The text of a file of `sql/`, from the source as well as from `dist/`. */
export function readScript(file: ScriptFile): Promise<string> {
  const places = ['../../sql', '../../../sql'].map((place) => new URL(`${place}/${file}.sql`, import.meta.url))
  const place = places.map((url) => fileURLToPath(url)).find((path) => existsSync(path))
  return readFile(place ?? fileURLToPath(places[0] as URL), 'utf8')
}

/** Statements that there must be one of for each pipe. */
const OF_A_PIPE = /^(?:CREATE (?:OR REPLACE )?PIPE|GRANT [A-Z, ]+ ON PIPE|DROP PIPE)\b[^;]*;/gm
const PIPE = 'SENSEHAT_STREAMING_PIPE'

/** Everything that differs between set-ups, as it stands in the files. */
const MARKS =
  /'<<< THE PUBLIC KEY[^']*'|'<<< the address[^']*'|'SENSEHAT_STREAMING_ROLE'|\bDEMO\.DEMO\b|(?<=\bDATABASE (?:IF (?:NOT )?EXISTS )?)DEMO\b|\bACTIVITY_DB\.(?:RAW_DATA|PROCESSED_DATA)\b|(?<=\bDATABASE (?:IF (?:NOT )?EXISTS )?)ACTIVITY_DB\b|\bSENSEHAT_SENSOR_DATA\b|\bSENSEHAT_STREAMING_(?:USER|ROLE|PIPE)\b|\b400(?= days)|-400\b/g

/** The line that Snowflake would refuse. */
const KEY_LINE = /^ *RSA_PUBLIC_KEY = '<<<.*\n/m

/**
 * A file of `sql/` for another set-up. All marks are replaced in one pass, comments included, so that nothing that has been put in
 * is looked at again.
 */
export function rendered(written: string, setUp: SetUp): string {
  // A user with a token needs no key.
  const isForToken = setUp.publicKey === undefined && setUp.allowedIps.length > 0
  const text = isForToken ? written.replace(KEY_LINE, '') : written
  const values = valuesOf(setUp)
  const [firstPipe = ''] = setUp.pipes
  const pieces = (part: string, pipe: string) =>
    part.replaceAll(MARKS, (mark) => (mark === PIPE ? identifier(pipe) : (values(mark) ?? mark)))
  let out = ''
  let end = 0
  for (const match of text.matchAll(OF_A_PIPE)) {
    out += pieces(text.slice(end, match.index), firstPipe)
    const isLong = match[0].includes('\n')
    out += setUp.pipes.map((pipe) => pieces(match[0], pipe)).join(isLong ? '\n\n' : '\n')
    end = match.index + match[0].length
  }
  return out + pieces(text.slice(end), firstPipe)
}

function valuesOf(setUp: SetUp): (mark: string) => string | undefined {
  const { allowedIps, publicKey } = setUp
  const database = identifier(setUp.database)
  const role = identifier(setUp.role)
  const phones = identifier(setUp.phones.database)
  const days = String(setUp.retentionDays)
  const values: Readonly<Record<string, string>> = {
    DEMO: database,
    'DEMO.DEMO': `${database}.${identifier(setUp.schema)}`,
    ACTIVITY_DB: phones,
    'ACTIVITY_DB.RAW_DATA': `${phones}.${identifier(setUp.phones.schema)}`,
    'ACTIVITY_DB.PROCESSED_DATA': `${phones}.${identifier(setUp.phones.activity_schema)}`,
    SENSEHAT_SENSOR_DATA: identifier(setUp.table),
    // A JWT names the user in upper case, so that is what its name must be.
    SENSEHAT_STREAMING_USER: quoted(userInJwt(setUp.user)),
    SENSEHAT_STREAMING_ROLE: role,
    "'SENSEHAT_STREAMING_ROLE'": textLiteral(role),
    '400': days,
    '-400': `-${days}`,
  }
  return (mark) => {
    if (mark.startsWith("'<<< THE PUBLIC KEY")) return publicKey === undefined ? undefined : textLiteral(publicKey)
    if (mark.startsWith("'<<< the address"))
      return allowedIps.length === 0 ? undefined : allowedIps.map(textLiteral).join(', ')
    return values[mark]
  }
}
