import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { freezeBatch, planBatch } from '../../../bridge/lanes/batch.ts'
import type { SpooledRow } from '../../../bridge/spool/spooled-row.ts'

function row(seq: number, arrived = 0, padding = ''): SpooledRow {
  return {
    token: { ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', seq },
    json: Buffer.from(JSON.stringify({ uuid: `pi-aaaaaaaa-${seq}`, padding })),
    receivedAt: 0,
    arrived,
    record: 0,
  }
}

const policy = { max_rows: 10, max_bytes: 2_000, max_age_ms: 5_000 }

type Step = { readonly kind: 'add'; readonly padding: number } | { readonly kind: 'wait'; readonly ms: number }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), padding: fc.oneof(fc.nat(100), fc.nat(3_000)) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(6_000) }),
)

describe('planning batches', () => {
  it('loses nothing, repeats nothing, keeps the order, stays within the limits, and holds no row past its age', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const waiting: SpooledRow[] = []
        const out: SpooledRow[] = []
        let now = 0
        let next = 1
        const take = async (draining: boolean) => {
          for (;;) {
            const plan = planBatch(waiting, policy, now, draining)
            if (plan === undefined || 'dueInMs' in plan) return plan
            const rows = waiting.splice(0, plan.rows)
            expect(rows.length).toBeGreaterThan(0)
            expect(rows.length).toBeLessThanOrEqual(policy.max_rows)
            const { bytes } = await freezeBatch(rows, '0_0', 1_790_000_000_000)
            if (rows.length > 1) expect(bytes).toBeLessThanOrEqual(policy.max_bytes)
            if (plan.trigger === 'rows') expect(rows).toHaveLength(policy.max_rows)
            if (plan.trigger === 'age')
              expect(now - (rows[0]?.arrived ?? now)).toBeGreaterThanOrEqual(policy.max_age_ms)
            out.push(...rows)
          }
        }
        for (const s of steps) {
          if (s.kind === 'add') waiting.push(row(next++, now, 'x'.repeat(s.padding)))
          else {
            // Whoever asks comes back when told to.
            const plan = planBatch(waiting, policy, now, false)
            now += plan !== undefined && 'dueInMs' in plan ? Math.min(s.ms, plan.dueInMs) : s.ms
          }
          const plan = await take(false)
          if (plan !== undefined) {
            expect(plan.dueInMs).toBeGreaterThan(0)
            expect(plan.dueInMs).toBe(policy.max_age_ms - (now - (waiting[0]?.arrived ?? 0)))
          }
        }
        await take(true)
        expect(waiting).toEqual([])
        expect(out.map(({ token }) => token.seq)).toEqual(Array.from({ length: next - 1 }, (_, i) => i + 1))
      }),
    )
  })

  it('has nothing to say about nothing', () => {
    expect(planBatch([], policy, 0, false)).toBeUndefined()
    expect(planBatch([], policy, 0, true)).toBeUndefined()
  })

  it('sends a row alone that is larger than the limit', () => {
    expect(planBatch([row(1, 0, 'x'.repeat(9_000)), row(2)], policy, 0, false)).toEqual({ rows: 1, trigger: 'bytes' })
    expect(planBatch([row(1), row(2, 0, 'x'.repeat(9_000))], policy, 0, false)).toEqual({ rows: 1, trigger: 'bytes' })
  })

  it('counts bytes, not characters', () => {
    const wide = row(1, 0, '°'.repeat(930))
    expect(planBatch([wide, row(2)], policy, 0, false)).toEqual({ rows: 1, trigger: 'bytes' })
  })

  it('says how long a young batch may wait', () => {
    expect(planBatch([row(1, 1_000), row(2, 4_000)], policy, 3_500, false)).toEqual({ dueInMs: 2_500 })
    expect(planBatch([row(1, 1_000)], policy, 6_000, false)).toEqual({ rows: 1, trigger: 'age' })
  })
})

describe('a frozen batch', () => {
  it('is its rows, each with the time of freezing as its last key, one JSON object a line', async () => {
    const batch = await freezeBatch([row(1), row(2)], '3_1', Date.UTC(2026, 10, 22, 12))
    const text = gunzipSync(batch.body).toString('utf8')
    expect(text).toBe(
      '{"uuid":"pi-aaaaaaaa-1","padding":"","ingestion_timestamp":"2026-11-22T12:00:00.000Z"}\n' +
        '{"uuid":"pi-aaaaaaaa-2","padding":"","ingestion_timestamp":"2026-11-22T12:00:00.000Z"}\n',
    )
    expect(batch).toMatchObject({
      continuationToken: '3_1',
      startOffsetToken: '1.own1.aaaaaaaa.1',
      endOffsetToken: '1.own1.aaaaaaaa.2',
      rows: 2,
      bytes: Buffer.byteLength(text),
    })
    expect(batch.requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('of any rows gives the rows back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 20 }), async (texts) => {
        const rows = texts.map((text, i) => row(i + 1, 0, text))
        const lines = gunzipSync((await freezeBatch(rows, '0_0', 0)).body)
          .toString('utf8')
          .split('\n')
        expect(lines.pop()).toBe('')
        expect(lines.map((line) => JSON.parse(line))).toEqual(
          rows.map(({ json }) => ({ ...JSON.parse(String(json)), ingestion_timestamp: '1970-01-01T00:00:00.000Z' })),
        )
      }),
    )
  })

  it('has its one row for both ends, and at least one row', async () => {
    const batch = await freezeBatch([row(5)], '0_0', 0)
    expect(batch.startOffsetToken).toBe(batch.endOffsetToken)
    await expect(freezeBatch([], '0_0', 0)).rejects.toThrow(RangeError)
  })

  it('is another request than the one before, even with the same rows', async () => {
    const [a, b] = [await freezeBatch([row(1)], '0_0', 0), await freezeBatch([row(1)], '0_0', 0)]
    expect(a.requestId).not.toBe(b.requestId)
  })
})
