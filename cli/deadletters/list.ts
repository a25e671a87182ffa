import { letterJson } from '../../bridge/dead-letters/letter-json.ts'
import { counted } from '../../src/counted.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Invocation } from '../command.ts'
import { isAskedFor, keptLetters, type Letter, refuseNumbers } from './letters.ts'
import { letterTable } from './table.ts'

const USUAL_LIMIT = 50

/** `snowhat deadletters list` */
export async function list(invocation: Invocation): Promise<number> {
  refuseNumbers(invocation)
  const { flags, print } = invocation
  const limit = limitOf(flags.limit)
  const newest: Letter[] = []
  let letters = 0
  let hidden = 0
  for await (const letter of keptLetters(invocation)) {
    if (!isAskedFor(letter, invocation)) continue
    if (letter.replayedAt !== undefined && flags.replayed !== true) {
      hidden++
      continue
    }
    letters++
    newest.push(letter)
    if (limit > 0 && newest.length > limit) newest.shift()
  }
  if (flags.json === true) {
    for (const letter of newest) print(JSON.stringify(summaryOf(letter)))
    return 0
  }
  for (const line of newest.length > 0 ? letterTable(newest, process.stdout.columns) : []) print(line)
  const shown = newest.length < letters ? `; the newest ${newest.length} are shown (--limit 0 shows all)` : ''
  const more =
    hidden === 1 ? '1 more was replayed (--replayed shows it)' : `${hidden} more were replayed (--replayed shows them)`
  const replayed = hidden > 0 ? `; ${more}` : ''
  print(`(${counted(letters, 'dead letter')}${shown}${replayed})`)
  return 0
}

/** All about it but the payload. */
function summaryOf(letter: Letter): object {
  const { payload: _, payload_base64: __, ...summary } = letterJson(letter)
  return { ...summary, bytes: letter.cutFrom ?? letter.payload.length }
}

function limitOf(text: string | boolean | undefined): number {
  const limit = text === undefined ? USUAL_LIMIT : Number(text)
  if (Number.isSafeInteger(limit) && limit >= 0 && text !== '') return limit
  throw new SnowhatError('E_USAGE', `--limit ${text} is no number of dead letters`, { hint: '0 shows all' })
}
