import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import type { ManualClock } from '../../support/manual-clock.ts'
import { emulated, rowCount, upTo } from '../harness.ts'

/** Resolves when a request sleeps in the emulator. */
function heldUp(clock: ManualClock) {
  return eventually('a request that waits', () => clock.sleeping > 0)
}

describe('a request', () => {
  it('waits before it is processed, for a fixed time', async () => {
    const { client, clock, emulator } = await emulated()
    await client.faults([{ operation: 'open', action: 'delay', ms: 2000 }])
    const open = client.open('a')
    await heldUp(clock)
    await clock.advance(1999)
    expect([clock.sleeping, emulator.stats().opens]).toEqual([1, 0])
    await clock.advance(1)
    expect((await open).status).toBe(200)
  })

  it('waits for a time drawn between two, the same ones for the same seed', async () => {
    const { client, clock } = await emulated()
    const waits = async (seed: number) => {
      await client.faults([{ operation: 'hostname', action: 'delay', ms: [100, 900], seed }])
      const all: number[] = []
      for (let i = 0; i < 4; i += 1) {
        const answer = client.call('GET', '/v2/streaming/hostname')
        await heldUp(clock)
        const since = clock.monotonic()
        while (clock.sleeping > 0) await clock.advance(50)
        all.push(clock.monotonic() - since)
        await answer
      }
      return all
    }
    const first = await waits(3)
    expect(Math.min(...first)).toBeGreaterThanOrEqual(100)
    expect(Math.max(...first)).toBeLessThan(950)
    expect(new Set(first).size).toBeGreaterThan(1)
    expect(await waits(3)).toEqual(first)
  })

  it('that waits goes on when the faults are taken back, and does not hold up the end of the emulator', async () => {
    const { client, clock, emulator } = await emulated()
    const late = [{ operation: 'open', action: 'delay', ms: 3_600_000 }]
    await client.faults(late)
    const first = client.open('a')
    await heldUp(clock)
    await client.faults([])
    expect((await first).status).toBe(200)
    await client.faults(late)
    const second = client.open('b')
    await heldUp(clock)
    await emulator.close()
    expect((await second).status).toBe(200)
  })

  it('gets lost before it is processed, or its answer after, a refusal too', async () => {
    const { client, emulator } = await emulated()
    await client.faults([{ operation: 'open', action: 'lose-request' }])
    await expect(client.open('a')).rejects.toThrow()
    expect(emulator.stats().opens).toBe(0)
    await client.faults([{ operation: '*', action: 'lose-answer' }])
    await expect(client.open('a')).rejects.toThrow()
    expect(emulator.stats().opens).toBe(1)
    await expect(client.append('a', 'no token', [{ uuid: '1' }])).rejects.toThrow()
  })

  it('is answered in dribs and drabs, whole in the end', async () => {
    const { client, clock } = await emulated()
    await client.faults([{ operation: 'open', action: 'dribble', over: '10s' }])
    const since = clock.monotonic()
    const open = client.open('a')
    await heldUp(clock)
    while (clock.sleeping > 0) await clock.advance(100)
    expect(clock.monotonic() - since).toBeGreaterThan(9_000)
    expect((await open).json.channel_status.channel_name).toBe('a')
  })

  it('is answered 200 with rows that go nowhere: the token moves, the committed one does not', async () => {
    const { client, clock, emulator } = await emulated()
    const first = await client.opened('a')
    await client.faults([{ action: 'black-hole', count: 1 }])
    const swallowed = await client.append('a', first, [{ uuid: '1' }], upTo('1'))
    expect(swallowed.status).toBe(200)
    const next = swallowed.json.next_continuation_token
    expect(next).not.toBe(first)
    await clock.advance(5000)
    expect((await client.statusOf('a'))?.last_committed_offset_token).toBeNull()
    // What comes after is taken, and its token passes the hole.
    await client.append('a', next, [{ uuid: '2' }], upTo('2'))
    await clock.advance(5000)
    expect(await client.statusOf('a')).toMatchObject({ last_committed_offset_token: '2', rows_parsed: 1 })
    expect(await rowCount(emulator)).toBe(1)
  })

  it('is answered with another status code of the channel than it has', async () => {
    const { client } = await emulated()
    const code = 'ERR_PIPE_IN_INVALID_STATE'
    await client.faults([{ operation: 'open', action: 'channel-status', code }])
    const open = await client.open('a')
    expect([open.status, open.json.channel_status.channel_status_code]).toEqual([200, code])
    await client.open('b')
    await client.faults([{ operation: 'status', channel: 'b', action: 'channel-status', code }])
    const { a, b } = (await client.status(['a', 'b'])).json.channel_statuses
    expect([a.channel_status_code, b.channel_status_code]).toEqual(['SUCCESS', code])
    await client.faults([])
    expect((await client.statusOf('b'))?.channel_status_code).toBe('SUCCESS')
  })
})
