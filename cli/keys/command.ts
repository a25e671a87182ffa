import { SnowhatError } from '../../src/errors.ts'
import { didYouMean } from '../../src/nearest.ts'
import type { Command, Invocation } from '../command.ts'
import { SNOWFLAKE_CONFIG_FLAG } from '../snowflake-config-flag.ts'

/** What comes after `snowhat keys`: the flags each takes, and whether a file may follow. */
const ACTIONS = {
  new: { flags: ['encrypt', 'bits'], file: true },
  show: { flags: ['public'], file: true },
  check: { flags: [], file: false },
  rotate: { flags: ['wait', 'slot'], file: false },
} as const

type Action = keyof typeof ACTIONS

export const keysCommand: Command = {
  name: 'keys',
  summary: 'the key for Snowflake: make it, look at it, see whether it signs in, replace it',
  own: 'snowflake',
  uses: ['log'],
  positionals: 'new|show|check|rotate [FILE]',
  flags: {
    ...SNOWFLAKE_CONFIG_FLAG,
    encrypt: {
      type: 'boolean',
      doc: 'new: encrypt it; the passphrase is that of the settings, or is asked for on the terminal',
    },
    bits: { type: 'string', value: 'N', doc: 'new: 2048, 3072 or 4096 (default 2048)' },
    public: { type: 'boolean', doc: 'show: only the public key, PEM' },
    wait: { type: 'string', value: 'TIME', doc: 'rotate: wait so long for each statement to be run (default 0s)' },
    slot: {
      type: 'string',
      value: '1|2',
      doc: 'rotate: where the new key goes when DESC USER does not say what is free (default 2)',
    },
    json: { type: 'boolean', doc: 'one JSON object' },
  },
  examples: [
    ['snowhat keys new secrets/bridge/snowhat_key.p8', 'a key pair, and the ALTER USER that registers it'],
    ['snowhat keys new --encrypt', 'the same, encrypted; asks for the passphrase'],
    ['snowhat keys check', 'signs in for real with what is configured'],
    ['snowhat keys rotate --wait 10m', 'replaces the key while the bridge runs; repeat it until it says done'],
  ],
  async load() {
    const [{ newKey }, { show }, { check }, { rotate }] = await Promise.all([
      import('./new.ts'),
      import('./show.ts'),
      import('./check.ts'),
      import('./rotate.ts'),
    ])
    const run = { new: newKey, show, check, rotate }
    return async (invocation) => {
      const action = actionOf(invocation)
      return run[action](invocation, invocation.positionals.slice(1))
    }
  },
}

function actionOf({ positionals: [word, ...words], flags }: Invocation): Action {
  const names = Object.keys(ACTIONS)
  if (word === undefined || !names.includes(word))
    throw new SnowhatError(
      'E_USAGE',
      word === undefined ? 'snowhat keys wants new, show, check or rotate' : `snowhat keys has no ${word}`,
      {
        hint:
          word === undefined ? 'see snowhat keys --help' : (didYouMean(word, names) ?? `there are ${names.join(', ')}`),
      },
    )
  const action = word as Action
  const { flags: own, file } = ACTIONS[action]
  const taken: readonly string[] = [...own, 'json', 'config', 'help', 'snowflake-config']
  const other = Object.keys(flags).find((name) => !taken.includes(name))
  const [extra] = words.slice(file ? 1 : 0)
  if (other !== undefined || extra !== undefined)
    throw new SnowhatError('E_USAGE', `snowhat keys ${word} takes no ${other === undefined ? extra : `--${other}`}`, {
      hint: 'see snowhat keys --help',
    })
  return action
}
