import { expect, it } from 'vitest'
import { lookForRival } from '../../bridge/look-for-rival.ts'
import { silentLog } from '../../src/log.ts'
import type { IncomingMessage } from '../../src/mqtt-link.ts'
import { ManualClock } from '../support/manual-clock.ts'

function look(info: () => Promise<IncomingMessage | undefined>) {
  const clock = new ManualClock()
  const taken: IncomingMessage[] = []
  const presence = { take: (message: IncomingMessage) => taken.push(message) > 0 }
  return { clock, taken, done: lookForRival({ clock, log: silentLog(), retained: { info }, presence }) }
}

it('gives presence what the broker holds', async () => {
  const info = { topic: 'sensehat/bridge/info', payload: Buffer.from('{"instance":"abcd"}'), retain: true }
  const { taken, done } = look(async () => info as IncomingMessage)
  await done
  expect(taken).toEqual([info])
})

it('says nothing when the broker holds nothing, or cannot be asked', async () => {
  for (const info of [async () => undefined, () => Promise.reject(new Error('not connected'))]) {
    const { taken, done } = look(info)
    await done
    expect(taken).toEqual([])
  }
})

it('does not wait long for a broker that does not answer', async () => {
  const { clock, done } = look(() => new Promise(() => undefined))
  await clock.advance(5_000)
  await done
})
