import { VERSION } from '../src/version.ts'
import type { Command } from './command.ts'

export const publisherCommand: Command = {
  name: 'publisher',
  summary: "the Pi's program: reads the sensors and publishes readings and Home Assistant documents",
  own: 'publisher',
  uses: ['mqtt', 'log'],
  examples: [
    ['snowhat publisher --simulate', 'simulated readings to the broker on this machine'],
    [
      'snowhat publisher --simulate --hostname pi-attic --mqtt-url mqtt://nas:1883',
      'as another Pi, to a broker elsewhere',
    ],
    ['snowhat publisher -s -r 0.5 --max-batches 10', 'twice a second, 100 readings, then stop'],
  ],
  async load() {
    const { runPublisher } = await import('../publisher/main.ts')
    return async ({ settings, clock, log, random, stop }) => {
      const done = await runPublisher(settings, { clock, log, random, version: VERSION, signal: stop })
      return done ? 0 : 1
    }
  },
}
