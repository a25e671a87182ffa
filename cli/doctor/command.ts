import type { Command } from '../command.ts'
import { SNOWFLAKE_CONFIG_FLAG } from '../snowflake-config-flag.ts'

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'finds out what is wrong, says the fix, and the SQL for it',
  uses: ['mqtt', 'publisher', 'bridge', 'snowflake', 'spool', 'phones', 'routes', 'http', 'log'],
  forgiving: true,
  flags: {
    ...SNOWFLAKE_CONFIG_FLAG,
    pi: { type: 'boolean', doc: 'look at what a Pi needs; without it and --bridge the configuration decides' },
    bridge: { type: 'boolean', doc: "look at what the bridge's machine needs" },
    'no-canary': { type: 'boolean', doc: 'write no row into the table' },
    json: { type: 'boolean', doc: 'one JSON object' },
  },
  examples: [
    ['snowhat doctor', 'all that concerns this machine; exit code 1 when something is broken'],
    ['snowhat doctor --bridge --config /etc/snowhat.yaml', "on the bridge's machine, by the bridge's configuration"],
    ['snowhat doctor --pi', 'on a Pi'],
    ['snowhat doctor --bridge --no-canary --json', 'for scripts; nothing is written into the table'],
  ],
  async load() {
    const { runDoctor } = await import('./doctor.ts')
    return (invocation) => runDoctor(invocation)
  },
}
