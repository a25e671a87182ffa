import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeReadings } from '../../../bridge/routes/sense-hat-route.ts'
import { messagesOf, type Planned } from '../../../cli/deadletters/messages.ts'
import { MAX_MESSAGE_BYTES, MAX_READINGS_PER_MESSAGE } from '../../../src/reading.ts'

function letterOf(number: number, ...texts: readonly string[]): Planned {
  return {
    letter: { number, device: 'pi', topic: 't', code: 'not_json', reason: 'r', payload: Buffer.from('x'), at: 0 },
    plan: { kind: 'ready', device: 'pi', topic: 't', readings: texts.map((text) => ({ text, uuid: undefined })) },
  }
}

it('fills a message to its last byte', () => {
  const short = '{"note":""}'
  const others = `[${short},${short}]`.length
  const messages = (length: number) => messagesOf([letterOf(1, short, `{"note":"${'x'.repeat(length)}"}`)])
  expect(messages(MAX_MESSAGE_BYTES - others)).toHaveLength(1)
  expect(messages(MAX_MESSAGE_BYTES - others)[0]?.payload.length).toBe(MAX_MESSAGE_BYTES)
  expect(messages(MAX_MESSAGE_BYTES - others + 1)).toHaveLength(2)
})

it('sends a single reading as an object', () => {
  expect(messagesOf([letterOf(1, '{"a":1}')])).toMatchObject([{ payload: '{"a":1}', readings: 1 }])
})

it('gives what the bridge takes, in order, each letter ended once, with its last reading', () => {
  const letters = fc.array(
    fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.nat(300) },
        { weight: 90, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.nat(60_000) },
      ),
      { minLength: 1, maxLength: 250 },
    ),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(letters, (all) => {
      let n = 0
      const endsAt = new Map<number, number>()
      const planned = all.map((sizes, i) => {
        const texts = sizes.map((size) => JSON.stringify({ temperature: n++, note: 'é'.repeat(size) }))
        endsAt.set(i + 1, n - 1)
        return letterOf(i + 1, ...texts)
      })
      const ended: number[] = []
      let next = 0
      for (const { payload, readings, ends } of messagesOf(planned)) {
        const bytes = Buffer.from(payload)
        expect(bytes.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
        const decoded = decodeReadings('pi', bytes)
        expect(decoded.refused).toEqual([])
        expect(decoded.readings.length).toBe(readings)
        expect(readings).toBeLessThanOrEqual(MAX_READINGS_PER_MESSAGE)
        for (const { json } of decoded.readings) expect(JSON.parse(json.toString()).temperature).toBe(next++)
        for (const { number = 0 } of ends) {
          expect(endsAt.get(number)).toBeGreaterThanOrEqual(next - readings)
          expect(endsAt.get(number)).toBeLessThan(next)
          ended.push(number)
        }
      }
      expect(next).toBe(n)
      expect(ended).toEqual(all.map((_, i) => i + 1))
    }),
    { numRuns: 40 },
  )
})
