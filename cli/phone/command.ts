import { SnowhatError } from '../../src/errors.ts'
import { didYouMean } from '../../src/nearest.ts'
import type { Command } from '../command.ts'

export const phoneCommand: Command = {
  name: 'phone',
  summary: 'activities from the phone app Sensor Logger',
  uses: ['log'],
  positionals: 'evaluate DIR',
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
    ['snowhat phone evaluate ./motionsense', 'how often the classifiers are right about people they do not know'],
    ['snowhat phone evaluate windows.csv --json', 'the same of windows that --windows has written'],
  ],
  async load() {
    const { evaluateFolder } = await import('./evaluate.ts')
    return async (invocation) => {
      const [action] = invocation.positionals
      if (action === 'evaluate') return evaluateFolder(invocation)
      throw new SnowhatError(
        'E_USAGE',
        action === undefined ? 'snowhat phone wants evaluate DIR' : `snowhat phone has no ${action}`,
        { hint: didYouMean(action ?? '', ['evaluate']) ?? 'see snowhat phone --help' },
      )
    }
  },
}
