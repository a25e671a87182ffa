import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { letterJson } from '../../bridge/dead-letters/letter-json.ts'
import { counted } from '../../src/counted.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { Invocation } from '../command.ts'
import { isAskedFor, keptLetters, refuseNumbers } from './letters.ts'

/** `snowhat deadletters export` */
export async function exportLetters(invocation: Invocation): Promise<number> {
  refuseNumbers(invocation)
  const { flags, print } = invocation
  if (typeof flags.out !== 'string') {
    for await (const line of lines(invocation)) print(line)
    return 0
  }
  const all = lines(invocation)
  // Before the file is opened: an export that fails at once must not empty the last one.
  let next = await all.next()
  let letters = 0
  const counting = async function* () {
    for (; next.done !== true; next = await all.next()) {
      letters++
      yield `${next.value}\n`
    }
  }
  try {
    await pipeline(Readable.from(counting()), createWriteStream(flags.out))
  } catch (error) {
    if (error instanceof SnowhatError) throw error
    throw new SnowhatError('E_FILE_UNWRITABLE', `cannot write ${flags.out}: ${messageOf(error)}`, {
      hint: 'give --out a file in a directory that is there and that this user may write; without it the letters go to standard output',
      cause: error,
    })
  }
  print(`exported ${counted(letters, 'dead letter')} to ${flags.out}`)
  return 0
}

async function* lines(invocation: Invocation): AsyncGenerator<string> {
  for await (const letter of keptLetters(invocation)) {
    if (!isAskedFor(letter, invocation)) continue
    if (letter.replayedAt === undefined || invocation.flags.replayed === true) yield JSON.stringify(letterJson(letter))
  }
}
