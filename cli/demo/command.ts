import { BATCH_FLAGS } from '../batch-flags.ts'
import type { Command } from '../command.ts'

export const demoCommand: Command = {
  name: 'demo',
  summary: 'broker, Snowpipe emulator, simulated Pis and bridge in one go: the whole way on one machine',
  own: 'demo',
  // Of publisher and emulator most is the demo's own business: the rest has flags.
  uses: ['batch', 'bridge', 'log'],
  flags: {
    ...BATCH_FLAGS,
    'commit-delay': {
      type: 'string',
      value: 'TIME',
      doc: 'time between an append and its commit in the emulator (default 0.5s)',
      sets: { path: 'emulator.commit_delay', value: (text) => text },
    },
    'emulator-commit-delay': {
      type: 'string',
      value: 'TIME',
      doc: 'the same as --commit-delay',
      sets: { path: 'emulator.commit_delay', value: (text) => text },
    },
    faults: {
      type: 'string',
      value: 'FILE',
      doc: 'JSON file of faults the emulator injects from the start',
      sets: { path: 'emulator.faults', value: (text) => text },
    },
    board: {
      type: 'string',
      value: 'v1|v2',
      doc: 'Sense HAT of the simulated Pis; v2 has a colour and light sensor (default v1)',
      sets: { path: 'publisher.board', value: (text) => text },
    },
    json: { type: 'boolean', doc: 'print the proof as one JSON line at the end' },
  },
  // The first row should be seen soon, and the emulator opens channels as fast as they are asked for.
  defaults: {
    'batch.max_age_ms': 1_000,
    'emulator.commit_delay': 500,
    'bridge.opens_per_second': 100,
    'log.level': 'warn',
  },
  examples: [
    ['snowhat demo', 'three Pis until Ctrl-C'],
    ['snowhat demo --pis 50 --rate 10 --for 1m', '500 readings a second for a minute'],
    ['snowhat demo --for 20s --data /tmp/demo --json', 'for scripts: exit code 0 only if nothing is lost or doubled'],
  ],
  async load() {
    const { runDemo } = await import('./demo.ts')
    return runDemo
  },
}
