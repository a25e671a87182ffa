import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { messageOf, SnowhatError } from '../src/errors.ts'

/** The first system's settings, by the names they have here. */
const NAMES: Readonly<Record<string, string>> = {
  account: 'snowflake.account',
  url: 'snowflake.url',
  user: 'snowflake.user',
  role: 'snowflake.role',
  database: 'snowflake.database',
  schema: 'snowflake.schema',
  pipe: 'snowflake.pipes',
  private_key_file: 'snowflake.private_key_file',
  private_key_passphrase: 'snowflake.private_key_passphrase',
  pat_token: 'snowflake.pat',
}

/**
 * Reads `snowflake_config.json` of the first system as it is. Its `channel_name` is ignored: a channel is a
 * device here. A relative key path is taken from the file's own folder.
 */
export async function readSnowflakeConfigJson(
  file: string,
): Promise<{ values: Map<string, unknown>; ignored: string[] }> {
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `cannot read ${file}: ${messageOf(error)}`, { cause: error })
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new SnowhatError('E_CONFIG_INVALID', `${file} must hold one JSON object`)
  const values = new Map<string, unknown>()
  const ignored: string[] = []
  for (const [key, value] of Object.entries(content)) {
    const name = NAMES[key]
    if (name === undefined) ignored.push(key)
    else if (value !== null && value !== '') values.set(name, value)
  }
  const pipe = values.get('snowflake.pipes')
  if (typeof pipe === 'string') values.set('snowflake.pipes', [pipe])
  const url = values.get('snowflake.url')
  // The first system never used its url; a bare host name was common in it.
  if (typeof url === 'string' && !/^https?:/.test(url)) values.set('snowflake.url', `https://${url}`)
  // There the PAT won over the key when both were given.
  if (values.has('snowflake.pat')) values.delete('snowflake.private_key_file')
  const keyFile = values.get('snowflake.private_key_file')
  if (typeof keyFile === 'string') values.set('snowflake.private_key_file', resolve(dirname(file), keyFile))
  return { values, ignored }
}
