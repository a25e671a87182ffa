import { REFUSAL_CODES } from '../../bridge/routes/route.ts'
import { SnowhatError } from '../../src/errors.ts'
import { didYouMean } from '../../src/nearest.ts'
import type { Command, Invocation } from '../command.ts'

/** What comes after `snowhat deadletters`, with the flags each takes. */
const ACTIONS = {
  list: ['device', 'code', 'replayed', 'limit', 'json'],
  export: ['device', 'code', 'replayed', 'out'],
  replay: ['device', 'code', 'all', 'file', 'to', 'dry-run'],
} as const

type Action = keyof typeof ACTIONS

export const deadLettersCommand: Command = {
  name: 'deadletters',
  summary: 'what the bridge could not read: list it, export and repair it, send it again',
  own: 'spool',
  uses: ['mqtt', 'log'],
  positionals: 'list|export|replay [NUMBER|FROM-TO ...]',
  flags: {
    device: { type: 'string', value: 'HOST', doc: 'only those of this device' },
    code: { type: 'string', value: 'CODE', doc: 'only those with this code, such as wrong_type' },
    replayed: { type: 'boolean', doc: 'list, export: also those that were replayed' },
    limit: { type: 'string', value: 'N', doc: 'list: the newest N; 0 shows all (default 50)' },
    json: { type: 'boolean', doc: 'list: one JSON object per line' },
    out: { type: 'string', value: 'FILE', doc: 'export: write to this file instead of standard output' },
    all: { type: 'boolean', doc: 'replay: all that were not replayed' },
    file: { type: 'string', value: 'FILE', doc: 'replay: the letters of an export, repaired; - is standard input' },
    to: { type: 'string', value: 'HOST', doc: "replay: to this device, not to the one of the letter's topic" },
    'dry-run': { type: 'boolean', doc: 'replay: only say what would be sent' },
  },
  examples: [
    ['snowhat deadletters list --dir /var/lib/snowhat/spool', 'what is there, also while the bridge runs'],
    ['snowhat deadletters export --device pi-attic --out letters.ndjson', 'everything about them, one JSON line each'],
    ['snowhat deadletters replay --file letters.ndjson --dry-run', 'the same lines, repaired: what would be sent?'],
    ['snowhat deadletters replay 17 20-25', 'send these again as they are'],
    ['snowhat deadletters replay --all --code too_many', 'arrays that were too long are split'],
  ],
  async load() {
    const [{ list }, { exportLetters }, { replay }] = await Promise.all([
      import('./list.ts'),
      import('./export.ts'),
      import('./replay.ts'),
    ])
    const run = { list, export: exportLetters, replay }
    return async (invocation) => {
      const action = actionOf(invocation)
      refuseOtherFlags(action, invocation)
      checkCode(invocation.flags.code)
      return run[action](invocation)
    }
  },
}

function actionOf({ positionals: [word] }: Invocation): Action {
  const names = Object.keys(ACTIONS)
  if (word === undefined || !names.includes(word))
    throw new SnowhatError(
      'E_USAGE',
      word === undefined ? 'snowhat deadletters wants list, export or replay' : `snowhat deadletters has no ${word}`,
      {
        hint:
          word === undefined
            ? 'see snowhat deadletters --help'
            : (didYouMean(word, names) ?? 'there are list, export and replay'),
      },
    )
  return word as Action
}

function refuseOtherFlags(action: Action, { flags }: Invocation): void {
  const own: readonly string[] = [...ACTIONS[action], 'config', 'help']
  for (const name of Object.keys(flags))
    if (!own.includes(name))
      throw new SnowhatError('E_USAGE', `snowhat deadletters ${action} has no option --${name}`, {
        hint: 'see snowhat deadletters --help',
      })
}

/** A code that does not exist would choose nothing, and that looks like nothing being wrong. */
function checkCode(code: string | boolean | undefined): void {
  const known: readonly (string | boolean)[] = REFUSAL_CODES
  if (code === undefined || known.includes(code)) return
  throw new SnowhatError('E_USAGE', `there is no code ${code}`, {
    hint: didYouMean(String(code), REFUSAL_CODES) ?? `there are ${REFUSAL_CODES.join(', ')}`,
  })
}
