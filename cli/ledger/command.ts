import type { Command } from '../command.ts'

export const ledgerCommand: Command = {
  name: 'ledger',
  summary: 'per device: what was published, is committed, and is missing',
  uses: ['mqtt', 'http', 'log'],
  positionals: '[HOST]',
  flags: {
    json: { type: 'boolean', doc: 'one JSON object per device' },
    keep: { type: 'boolean', doc: 'HOST is held: what was committed is in the table, go on (needs http.token_file)' },
    resend: { type: 'boolean', doc: 'HOST is held: it is not, send again what there is (needs http.token_file)' },
    'bridge-url': {
      type: 'string',
      value: 'URL',
      doc: "the bridge's page, when it is not http.host and http.port: http://nas:8080",
    },
  },
  examples: [
    ['snowhat ledger', 'all devices; exit code 1 when a reading is missing or a device is held'],
    ['snowhat ledger pi-attic', 'one device, stream by stream, and why it is held'],
    ['snowhat ledger --json --mqtt-url mqtt://nas:1883', 'for scripts: one JSON object a line'],
    [
      'snowhat ledger pi-attic --keep --bridge-url http://nas:8080',
      'how a held device goes on; SNOWHAT_HTTP_TOKEN_FILE names a file with the same token as at the bridge',
    ],
  ],
  async load() {
    const { runLedger } = await import('./ledger.ts')
    return runLedger
  },
}
