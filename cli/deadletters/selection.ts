import { deadLettersIn } from '../../bridge/dead-letters/open-dead-letters.ts'
import { readReplayed } from '../../bridge/dead-letters/replayed.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Invocation } from '../command.ts'
import { readLetterFile } from './letter-file.ts'
import { isAskedFor, keptLetters, type Letter } from './letters.ts'

export interface Selection {
  readonly letters: readonly Letter[]
  /** Asked for by number, and not there. */
  readonly missing: readonly number[]
}

/** What `replay` is to send: numbers, all that were not replayed, or a file. Throws `E_USAGE`. */
export async function select(invocation: Invocation): Promise<Selection> {
  const { flags, positionals } = invocation
  const words = positionals.slice(1)
  const ways = [words.length > 0, flags.all === true, typeof flags.file === 'string']
  const given = ways.filter(Boolean).length
  if (given !== 1)
    throw new SnowhatError('E_USAGE', `replay wants to know which dead letters${given > 1 ? ', in one way' : ''}`, {
      hint: 'give numbers, or --all, or --file; snowhat deadletters list shows the numbers',
    })
  if (typeof flags.file === 'string') return ofFile(flags.file, invocation)
  const letters: Letter[] = []
  if (flags.all === true) {
    for await (const letter of keptLetters(invocation))
      if (isAskedFor(letter, invocation) && letter.replayedAt === undefined) letters.push(letter)
    return { letters, missing: [] }
  }
  const ranges = words.map(rangeOf)
  const missing = new Set(ranges.filter(([first, last]) => first === last).map(([first]) => first))
  for await (const letter of keptLetters(invocation)) {
    const { number = 0 } = letter
    missing.delete(number)
    if (isAskedFor(letter, invocation) && ranges.some(([first, last]) => first <= number && number <= last))
      letters.push(letter)
  }
  return { letters, missing: [...missing] }
}

/** Of those with a number the spool directory knows whether they were replayed. */
async function ofFile(file: string, invocation: Invocation): Promise<Selection> {
  const { dir } = invocation.settings.spool
  const replayed = dir === '' ? undefined : await readReplayed(deadLettersIn(dir))
  const letters: Letter[] = []
  for await (const letter of readLetterFile(file)) {
    const { number, at } = letter
    const replayedAt = number === undefined ? undefined : replayed?.when({ number, at })
    if (isAskedFor(letter, invocation)) letters.push({ ...letter, replayedAt })
  }
  return { letters, missing: [] }
}

/** `17`, or `20-25`. */
function rangeOf(word: string): readonly [first: number, last: number] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(word) ?? []
  if (first !== undefined && Number(first) <= Number(last)) return [Number(first), Number(last)]
  throw new SnowhatError('E_USAGE', `${word} is no number of a dead letter`, {
    hint: 'write 17, or 20-25; snowhat deadletters list shows the numbers',
  })
}
