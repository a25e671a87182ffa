import { readSnowflakeConfigJson } from '../bridge/snowflake-config-json.ts'
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

export async function importedSettings(
  file: string | boolean | undefined,
): Promise<{ values: Map<string, unknown>; notes: string[] }> {
  if (typeof file !== 'string') return { values: new Map(), notes: [] }
  const { values, ignored } = await readSnowflakeConfigJson(file)
  return {
    values,
    notes: ignored.map((key) =>
      key === 'channel_name'
        ? `channel_name in ${file} is not used: every device has a channel of its own, named after it`
        : `${key} in ${file} is not a setting that is known, and is not used`,
    ),
  }
}
