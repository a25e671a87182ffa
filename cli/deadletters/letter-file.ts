import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { RefusalCode } from '../../bridge/routes/route.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import { exactJson } from './exact-json.ts'
import type { Letter } from './letters.ts'

/** A line of an export, as it was or repaired; the payload may have become the JSON it is to be. */
const letterLine = z.looseObject({
  number: z.int().min(1).optional(),
  at: z.iso.datetime().optional(),
  device: z.string(),
  topic: z.string().default(''),
  code: z.string().default(''),
  reason: z.string().default(''),
  stream: z.string().optional(),
  seq: z.int().optional(),
  payload: z.union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())]).optional(),
  payload_base64: z.base64().optional(),
  cut_from: z.int().optional(),
})

/**
 * The letters in a file of JSON lines (`-` is standard input). A line of the bridge's own log that holds a letter is
 * taken too. Throws `E_DEAD_LETTERS` with the first line that is none.
 */
export async function* readLetterFile(file: string): AsyncGenerator<Letter, void, undefined> {
  const input = file === '-' ? process.stdin : createReadStream(file)
  let number = 0
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++
      if (line.trim() !== '') yield letterOf(line, `line ${number} of ${file === '-' ? 'the input' : file}`)
    }
  } catch (error) {
    if (error instanceof SnowhatError) throw error
    throw new SnowhatError('E_FILE_UNREADABLE', `cannot read the dead letters in ${file}: ${messageOf(error)}`, {
      cause: error,
      hint: 'give --file the file that snowhat deadletters export has written, or - for standard input; nothing was sent',
    })
  }
}

function letterOf(line: string, where: string): Letter {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw noLetter(where, 'it is not JSON')
  }
  const source = (value as { letter?: unknown } | null)?.letter ?? value
  const parsed = letterLine.safeParse(source)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw noLetter(where, `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is not as it must be'}`)
  }
  const { stream, seq, cut_from: cutFrom, code, payload_base64: base64, at, ...letter } = parsed.data
  // What came, not what the check gives back: that lacks a key called __proto__ [observed, zod 4.6.7].
  const { payload } = source as { payload?: unknown }
  if ((payload === undefined) === (base64 === undefined))
    throw noLetter(where, 'it needs one of payload and payload_base64')
  return {
    number: letter.number,
    device: letter.device,
    topic: letter.topic,
    reason: letter.reason,
    code: code as RefusalCode,
    at: at === undefined ? 0 : Date.parse(at),
    payload: base64 !== undefined ? Buffer.from(base64, 'base64') : Buffer.from(textOf(payload, where)),
    ...(stream !== undefined && seq !== undefined && { position: { stream, seq } }),
    ...(cutFrom !== undefined && { cutFrom }),
  }
}

function textOf(payload: unknown, where: string): string {
  if (typeof payload === 'string') return payload
  try {
    return exactJson(payload)
  } catch (error) {
    throw noLetter(where, `payload: ${messageOf(error)}`)
  }
}

function noLetter(where: string, why: string): SnowhatError {
  return new SnowhatError('E_DEAD_LETTERS', `${where} is no dead letter: ${why}`, {
    hint: 'nothing was sent; the lines are those of snowhat deadletters export',
  })
}
