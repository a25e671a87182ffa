import { readSnowflakeConfigJson } from '../bridge/snowflake-config-json.ts'
import type { SettingSources } from '../src/config.ts'
import { SnowhatError } from '../src/errors.ts'
import type { Flag } from './command.ts'

/** The first system's own configuration file, on the commands that talk to Snowflake. */
export const SNOWFLAKE_CONFIG_FLAG: Readonly<Record<string, Flag>> = {
  'snowflake-config': {
    type: 'string',
    short: 'c',
    value: 'FILE',
    doc: "read the first system's snowflake_config.json as it is",
  },
}

/** Throws `E_CONFIG_INVALID`, unless somebody wants to hear of it and goes on without. */
export async function importedSettings(
  file: string | boolean | undefined,
  { onProblem }: Pick<SettingSources, 'onProblem'> = {},
): Promise<{ values: Map<string, unknown>; notes: string[] }> {
  if (typeof file !== 'string') return { values: new Map(), notes: [] }
  const read = readSnowflakeConfigJson(file)
  const found = await (onProblem === undefined ? read : read.catch((error) => told(error, onProblem)))
  if (found === undefined) return { values: new Map(), notes: [] }
  const { values, ignored } = found
  return {
    values,
    notes: ignored.map((key) =>
      key === 'channel_name'
        ? `channel_name in ${file} is not used: every device has a channel of its own, named after it`
        : `${key} in ${file} is not a setting that is known, and is not used`,
    ),
  }
}

function told(error: unknown, onProblem: (problem: SnowhatError) => void): undefined {
  if (!(error instanceof SnowhatError)) throw error
  onProblem(error)
}
