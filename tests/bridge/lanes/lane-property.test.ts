import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fault } from '../../support/fake-snowpipe.ts'
import { LaneWorld } from '../../support/lane-world.ts'

type Step =
  | { readonly kind: 'readings'; readonly count: number }
  | { readonly kind: 'gap' }
  | { readonly kind: 'new stream' }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'append fault'; readonly fault: Fault }
  | { readonly kind: 'open fault'; readonly fault: Fault }
  | { readonly kind: 'status fault' }
  | { readonly kind: 'invalidate' }
  | { readonly kind: 'commit delay'; readonly ms: number }
  | { readonly kind: 'broker'; readonly answers: boolean }
  | { readonly kind: 'new bridge' }

const fault: fc.Arbitrary<Fault> = fc.constantFrom<Fault>(
  'lose request',
  'lose answer',
  { status: 503 },
  { status: 500, code: 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST' },
  { status: 429, code: '390701', retryAfter: 2 },
  { status: 400, code: 'ERR_CHANNEL_MUST_BE_REOPENED' },
  { status: 410 },
)
const openFault = fc.constantFrom<Fault>(
  'lose request',
  'lose answer',
  { status: 503 },
  { status: 409, code: 'ERR_OPEN_CHANNEL_IN_PROGRESS' },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('readings' as const), count: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 50, max: 4_000 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append fault' as const), fault }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('open fault' as const), fault: openFault }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'gap' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'new stream' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'status fault' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'invalidate' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('commit delay' as const), ms: fc.constantFrom(0, 500, 3_000, 10_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('broker' as const), answers: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'new bridge' } as const) },
)

describe('whatever goes wrong on the way', () => {
  it('every reading ends in the table exactly once, in order, and the ledger says so', {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        let bridges = 1
        let w = new LaneWorld()
        const sent: { stream: string; seq: number }[] = []
        let stream = 'aaaaaaaa'
        let seq = 0
        const streams = [stream]
        for (const it of steps) {
          switch (it.kind) {
            case 'readings':
              for (let i = 0; i < it.count; i++) {
                sent.push({ stream, seq: ++seq })
                w.take(seq, seq, stream)
              }
              break
            case 'gap':
              seq += 3
              break
            case 'new stream':
              stream = stream.replace(/.$/, String(streams.length))
              streams.push(stream)
              seq = 0
              break
            case 'time':
              await w.run(it.ms, 250)
              break
            case 'append fault':
              w.snowpipe.appendFaults.push(it.fault)
              break
            case 'open fault':
              w.snowpipe.openFaults.push(it.fault)
              break
            case 'status fault':
              w.snowpipe.statusFaults.push('lose request')
              break
            case 'invalidate':
              w.snowpipe.takeAway('pi')
              break
            case 'commit delay':
              w.snowpipe.commitDelayMs = it.ms
              break
            case 'broker':
              w.brokerAnswers = it.answers
              break
            case 'new bridge': {
              // Its disk is lost; the Pi sends again all it was not told of.
              await w.close()
              const ledger = w.retained()
              const before: LaneWorld = w
              w = new LaneWorld({ before, instance: `own${++bridges}`.slice(0, 4) })
              const released = (one: (typeof sent)[number]) =>
                ledger?.streams[one.stream]?.committed.some(([first, last]) => first <= one.seq && one.seq <= last)
              for (const one of sent) if (!released(one)) w.take(one.seq, one.seq, one.stream)
            }
          }
          expect(w.unannounced).toEqual([])
        }
        w.brokerAnswers = true
        w.snowpipe.appendFaults.length = 0
        w.snowpipe.openFaults.length = 0
        w.snowpipe.commitDelayMs = Math.min(w.snowpipe.commitDelayMs, 500)
        await w.run(100_000, 1_000)
        await w.run(20_000, 200)
        const state = {
          rows: w.device.rows.length,
          rivals: w.rivals,
          most: w.snowpipe.mostInFlight,
          unannounced: w.unannounced,
        }
        const table = w.snowpipe.table.map((row) => row.uuid)
        const committed = w.ledgers.current(w.device).streams
        await w.close()
        expect(state).toEqual({ rows: 0, rivals: [], most: sent.length > 0 ? 1 : 0, unannounced: [] })
        expect(table).toEqual(sent.map((one) => `pi-${one.stream}-${one.seq}`))
        for (const one of sent)
          expect(committed[one.stream]?.committed.some(([first, last]) => first <= one.seq && one.seq <= last)).toBe(
            true,
          )
      }),
      { numRuns: 60 },
    )
  })
})
