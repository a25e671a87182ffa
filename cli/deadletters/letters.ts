import type { KeptLetter } from '../../bridge/dead-letters/letter-record.ts'
import { readDeadLetters } from '../../bridge/dead-letters/read-dead-letters.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Invocation } from '../command.ts'

/** A dead letter of a spool directory or of a file. */
export interface Letter extends KeptLetter {
  /** In the spool directory; a letter of a file may have none. */
  readonly number?: number | undefined
  /** Epoch milliseconds. */
  readonly replayedAt?: number | undefined
}

/** The letters of the spool directory, oldest first. Throws `E_USAGE` when none is given. */
export function keptLetters({ settings }: Invocation): AsyncIterable<Letter> {
  if (settings.spool.dir === '')
    throw new SnowhatError('E_USAGE', 'snowhat deadletters wants the spool directory of the bridge', {
      hint: 'give it with --dir or SNOWHAT_SPOOL_DIR; a bridge without one keeps its dead letters in memory only',
    })
  return readDeadLetters(settings.spool.dir)
}

/** Those of the device and with the code that were asked for. */
export function isAskedFor({ device, code }: Letter, { flags }: Invocation): boolean {
  return (flags.device === undefined || flags.device === device) && (flags.code === undefined || flags.code === code)
}

/** For an action that takes no numbers. */
export function refuseNumbers({ positionals: [action, word] }: Invocation): void {
  if (word === undefined) return
  throw new SnowhatError('E_USAGE', `snowhat deadletters ${action} takes no ${word}`, {
    hint: 'only replay takes numbers; --device and --code choose',
  })
}
