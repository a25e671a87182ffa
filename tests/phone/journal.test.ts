import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Journal } from '../../phone/journal/journal.ts'
import type { JournalRecord, MessageRecord } from '../../phone/journal/journal-record.ts'
import { parseMessage } from '../../phone/wire/parse-message.ts'
import { silentLog } from '../../src/log.ts'
import { MemoryFileSystem } from '../durable-log/support/memory-filesystem.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { BAD_NEIGHBOURS, IN_A_STUDY, intakeSetUp } from './support.ts'

function opened(): Promise<Journal> {
  const deps = { clock: new ManualClock(), log: silentLog(), fs: new MemoryFileSystem() }
  return Journal.open({ dir: '/phone', maxBytes: 64 * 1024 * 1024, messageBytes: 8_388_608 }, deps)
}

function recordOf(number: number, length: number): MessageRecord {
  const about = {
    kind: 'message',
    at: number,
    source: 'http',
    hash: `${number}`,
    deviceId: 'a',
    sessionId: 's',
  } as const
  return { ...about, messageId: number, text: 'x'.repeat(length) }
}

async function read(journal: Journal, from: number): Promise<[number, JournalRecord][]> {
  const found: [number, JournalRecord][] = []
  for await (const { sequence, record } of journal.read(from)) found.push([sequence, record])
  return found
}

describe('the journal', () => {
  it('gives every record once and in order, whatever of it is still in memory and however often it is read', async () => {
    // Some are longer than what is kept in memory altogether.
    const length = fc.oneof({ weight: 9, arbitrary: fc.constant(10) }, { weight: 1, arbitrary: fc.constant(3_000_000) })
    const step = fc.oneof(
      fc.record({ lengths: fc.array(length, { minLength: 1, maxLength: 4 }) }),
      fc.record({ readBack: fc.nat(6) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const journal = await opened()
        const appended: MessageRecord[] = []
        for (const happening of steps)
          if ('lengths' in happening) {
            const fresh = happening.lengths.map((one, i) => recordOf(appended.length + i + 1, one))
            appended.push(...fresh)
            await Promise.all(fresh.map((one) => journal.append(one)))
          } else {
            const from = Math.max(1, appended.length + 1 - happening.readBack)
            const found = await read(journal, from)
            expect(found.map(([sequence]) => sequence)).toEqual(appended.slice(from - 1).map(({ at }) => at))
            expect(found.every(([sequence, record]) => isSame(record, appended[sequence - 1]))).toBe(true)
          }
        await journal.close()
      }),
      { numRuns: 30 },
    )
  })

  it('gives with a record what was made of its text, and only where a second reading makes the same of it', async () => {
    const { intake, journal } = await intakeSetUp()
    for (const text of [IN_A_STUDY, BAD_NEIGHBOURS]) await intake.take(Buffer.from(text), 'http')
    const [whole, cut] = (await read(journal, 1)).map(([, record]) => record as MessageRecord)
    const parsed = parseMessage(whole?.text ?? '', () => true)
    expect(parsed.ok && parsed.message).toEqual(whole?.message)
    expect(whole?.message).toBeDefined()
    expect(cut?.message).toBeUndefined()
    expect((await read(journal, 1)).map(([, record]) => 'message' in record)).toEqual([false, false])
  })
})

/** Without a comparison of megabytes when it fails. */
function isSame(record: JournalRecord, wanted: MessageRecord | undefined): boolean {
  return record.kind === 'message' && record.text === wanted?.text && record.at === wanted.at
}
