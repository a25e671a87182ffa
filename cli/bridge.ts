import { BATCH_FLAGS } from './batch-flags.ts'
import type { Command } from './command.ts'
import { SNOWFLAKE_CONFIG_FLAG } from './snowflake-config-flag.ts'

export const bridgeCommand: Command = {
  name: 'bridge',
  summary: 'takes readings from the broker and streams each device into its own Snowflake channel',
  own: 'bridge',
  uses: ['mqtt', 'home_assistant', 'snowflake', 'phones', 'routes', 'batch', 'spool', 'http', 'cost', 'log'],
  flags: {
    ...SNOWFLAKE_CONFIG_FLAG,
    ...BATCH_FLAGS,
    // A flag and no setting: one that stayed would make two bridges take over from one another for ever.
    'take-over': {
      type: 'boolean',
      doc: 'if another bridge is running at this broker, make it stop and go on instead',
    },
  },
  examples: [
    ['snowhat bridge', 'the broker and the emulator on this machine'],
    [
      'snowhat bridge --mqtt-url mqtt://nas:1883 --config /etc/snowhat.yaml',
      'a broker elsewhere, Snowflake as the file says',
    ],
    ['snowhat bridge -c snowflake_config.json -b 10 -i 5', "the first system's file and options"],
  ],
  async load() {
    const { runBridge } = await import('../bridge/main.ts')
    return async ({ settings, flags, ...deps }) => {
      await runBridge(settings, deps, { takeOver: flags['take-over'] === true })
      return 0
    }
  },
}
