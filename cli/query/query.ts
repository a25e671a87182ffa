import { resolveSnowflake } from '../../bridge/snowflake-target.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Command } from '../command.ts'
import { SNOWFLAKE_CONFIG_FLAG } from '../snowflake-config-flag.ts'
import { renderJson, renderTable } from './table.ts'

export const queryCommand: Command = {
  name: 'query',
  summary: 'asks the account, or the emulator, over the SQL REST API',
  own: 'snowflake',
  uses: ['log'],
  positionals: 'SQL',
  flags: { ...SNOWFLAKE_CONFIG_FLAG, json: { type: 'boolean', doc: 'one JSON object per row' } },
  examples: [
    [
      'snowhat query "select hostname, count(*) from sensehat_sensor_data group by 1"',
      'from the emulator on this machine',
    ],
    ['snowhat query --json "select * from sensehat_gaps"', 'readings that are missing, one JSON object a line'],
  ],
  async load() {
    const { runStatement } = await import('../../bridge/snowpipe/sql.ts')
    return async ({ settings, positionals, flags, clock, print }) => {
      const statement = positionals.join(' ').trim()
      if (statement === '')
        throw new SnowhatError('E_USAGE', 'snowhat query wants a statement', {
          hint: 'put it in quotes: snowhat query "select 1"',
        })
      const result = await runStatement(resolveSnowflake(settings.snowflake), statement, clock)
      if (flags.json !== true) print(renderTable(result))
      else if (result.rows.length > 0) print(renderJson(result))
      return 0
    }
  },
}
