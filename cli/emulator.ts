import { aborted } from '../src/signals.ts'
import type { Command } from './command.ts'

export const emulatorCommand: Command = {
  name: 'emulator',
  summary: 'Snowpipe Streaming on this machine, rows in DuckDB',
  own: 'emulator',
  uses: ['log'],
  examples: [
    ['snowhat emulator', 'on http://127.0.0.1:8085, rows in ./data/emulator/warehouse.duckdb'],
    [
      'snowhat emulator --port 9085 --data /tmp/wh --commit-delay 3s',
      'elsewhere, with commits as slow as the real service',
    ],
  ],
  async load() {
    const { startEmulator } = await import('../emulator/emulator.ts')
    return async ({ settings, clock, log, stop }) => {
      const emulator = await startEmulator(settings.emulator, { clock, log })
      log.info({ url: emulator.url, data: settings.emulator.data }, 'the emulator is running')
      try {
        await aborted(stop)
      } finally {
        await emulator.close()
        log.info('the emulator has stopped; everything it was sent is in the table')
      }
      return 0
    }
  },
}
