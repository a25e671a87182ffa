import { SnowhatError } from '../../src/errors.ts'
import { didYouMean } from '../../src/nearest.ts'
import type { Command, Invocation } from '../command.ts'

export const phoneCommand: Command = {
  name: 'phone',
  summary: 'takes what the phone app Sensor Logger sends, and tells what its owner does',
  own: 'phone',
  uses: ['mqtt', 'phones', 'home_assistant', 'log'],
  positionals: '[evaluate DIR]',
  flags: {
    parameters: {
      type: 'string',
      value: 'FILE',
      doc: "evaluate: the classifiers' parameters (default: those of this version)",
    },
    windows: { type: 'string', value: 'FILE', doc: 'evaluate: also write the windows and their features here, as CSV' },
    json: { type: 'boolean', doc: 'evaluate: one JSON object' },
  },
  examples: [
    ['snowhat phone', 'for a proxy on this machine'],
    ['snowhat phone --host 0.0.0.0 --token-file /etc/snowhat/phone-token', 'for all that know the token'],
    ['snowhat phone evaluate ./motionsense', 'how often the classifiers are right about people they do not know'],
    ['snowhat phone evaluate windows.csv --json', 'the same of windows that --windows has written'],
  ],
  async load() {
    return async (invocation) => {
      const [action] = invocation.positionals
      if (action === 'evaluate') return (await import('./evaluate.ts')).evaluateFolder(invocation)
      if (action === undefined) return runReceiver(invocation)
      throw new SnowhatError('E_USAGE', `snowhat phone has no ${action}`, {
        hint: didYouMean(action, ['evaluate']) ?? 'see snowhat phone --help',
      })
    }
  },
}

async function runReceiver({ settings, clock, log, random, stop, notify }: Invocation): Promise<number> {
  const { runPhone } = await import('../../phone/main.ts')
  await runPhone(settings, { clock, log, random, signal: stop, notify })
  return 0
}
