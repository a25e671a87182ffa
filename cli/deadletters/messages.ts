import { MAX_MESSAGE_BYTES, MAX_READINGS_PER_MESSAGE } from '../../src/reading.ts'
import type { Letter } from './letters.ts'
import type { Replayable } from './replayable.ts'

/** A letter that can be sent. */
export interface Planned {
  readonly letter: Letter
  readonly plan: Extract<Replayable, { kind: 'ready' }>
}

/** One message on a device's topic. */
export interface Message {
  readonly payload: string
  readonly readings: number
  /** Letters that are sent whole when this message has followed those before it. */
  readonly ends: readonly Letter[]
}

/** The readings of one topic's letters, in order, in as few messages as the limits allow. */
export function messagesOf(planned: readonly Planned[]): Message[] {
  const messages: { texts: string[]; ends: Letter[] }[] = []
  let bytes = 0
  for (const { letter, plan } of planned) {
    for (const { text } of plan.readings) {
      // With the comma before it; one more is the bracket that is left.
      const size = Buffer.byteLength(text) + 1
      const last = messages.at(-1)
      if (last === undefined || last.texts.length >= MAX_READINGS_PER_MESSAGE || bytes + size + 1 > MAX_MESSAGE_BYTES) {
        messages.push({ texts: [text], ends: [] })
        bytes = size
      } else {
        last.texts.push(text)
        bytes += size
      }
    }
    messages.at(-1)?.ends.push(letter)
  }
  return messages.map(({ texts, ends }) => ({
    payload: texts.length === 1 ? String(texts[0]) : `[${texts.join(',')}]`,
    readings: texts.length,
    ends,
  }))
}
