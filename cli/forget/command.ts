import type { Command } from '../command.ts'

export const forgetCommand: Command = {
  name: 'forget',
  summary: 'remove a device from Home Assistant and the broker, and its channel if asked',
  uses: ['mqtt', 'http', 'log'],
  positionals: 'HOST',
  flags: {
    channel: { type: 'boolean', doc: 'drop its Snowpipe channel too; its rows stay in the table' },
    force: {
      type: 'boolean',
      doc: 'though it is online, readings wait, or no bridge runs: see what is said without it',
    },
    'dry-run': { type: 'boolean', doc: 'only say what would be emptied' },
    json: { type: 'boolean', doc: 'one JSON object' },
    'bridge-url': {
      type: 'string',
      value: 'URL',
      doc: "the bridge's page, when it is not http.host and http.port: http://nas:8080",
    },
  },
  examples: [
    ['snowhat forget pi-attic --dry-run', 'what the broker holds of it'],
    [
      'snowhat forget pi-attic --mqtt-username admin',
      'SNOWHAT_MQTT_PASSWORD_FILE and SNOWHAT_HTTP_TOKEN_FILE name files with the password and with the token of the bridge',
    ],
    ['snowhat forget pi-attic --channel --bridge-url http://nas:8080', 'it will not come back'],
  ],
  async load() {
    const { runForget } = await import('./forget.ts')
    return runForget
  },
}
