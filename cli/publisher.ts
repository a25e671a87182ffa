import { SnowhatError } from '../src/errors.ts'
import { VERSION } from '../src/version.ts'
import type { Command } from './command.ts'
import { PUBLISHER_FLAGS } from './publisher-flags.ts'

export const publisherCommand: Command = {
  name: 'publisher',
  summary: "the Pi's program: reads the sensors and publishes readings and Home Assistant documents",
  own: 'publisher',
  uses: ['mqtt', 'matrix', 'home_assistant', 'log'],
  positionals: '[probe | calibrate magnetometer | calibrate temperature | outbox status | outbox rename NAME]',
  flags: PUBLISHER_FLAGS,
  examples: [
    ['snowhat publisher --mqtt-url mqtt://nas:1883', "this Pi's Sense HAT, to a broker elsewhere"],
    ['snowhat publisher probe', 'what is on the I2C bus, and what to do about what is not'],
    [
      'snowhat publisher calibrate magnetometer --outbox-dir …',
      'turn the board in your hands; then headings are right',
    ],
    [
      'snowhat publisher calibrate temperature --reference 21.4 --outbox-dir …',
      "how much of the processor's heat the sensor feels",
    ],
    ['snowhat publisher --simulate', 'simulated readings to the broker on this machine'],
    [
      'snowhat publisher --simulate --hostname pi-attic --mqtt-url mqtt://nas:1883',
      'as another Pi, to a broker elsewhere',
    ],
    ['snowhat publisher -s -r 0.5 --max-batches 10', 'twice a second, 100 readings, then stop'],
    ['snowhat publisher outbox status --outbox-dir /var/lib/snowhat/outbox', 'what waits there, without a broker'],
    ['snowhat publisher outbox rename pi-attic --outbox-dir …', 'the Pi was renamed: so are readings never sent'],
  ],
  async load() {
    const { runPublisher } = await import('../publisher/main.ts')
    return async (invocation) => {
      const [word, ...words] = invocation.positionals
      for (const [name, { of }] of Object.entries(PUBLISHER_FLAGS))
        if (invocation.flags[name] !== undefined && !of.includes(word ?? ''))
          throw new SnowhatError('E_USAGE', `--${name} is for snowhat publisher ${of.join(' and ')}`, {
            hint: 'see snowhat publisher --help',
          })
      if (word === 'probe') return (await import('./publisher-probe.ts')).runProbeCommand(words, invocation)
      if (word === 'calibrate') return (await import('./calibrate/command.ts')).runCalibrateCommand(words, invocation)
      if (word === 'outbox') return (await import('./publisher-outbox.ts')).runOutboxCommand(words, invocation)
      if (word !== undefined)
        throw new SnowhatError('E_USAGE', `snowhat publisher has no ${word}`, {
          hint: 'there are probe, calibrate and outbox',
        })
      const { settings, clock, log, random, stop, notify } = invocation
      const done = await runPublisher(settings, { clock, log, random, version: VERSION, signal: stop, notify })
      return done ? 0 : 1
    }
  },
}
