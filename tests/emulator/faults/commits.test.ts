import { describe, expect, it } from 'vitest'
import { emulated, upTo } from '../harness.ts'

/** Channels with one row each that is not committed; what is committed of each. */
async function appended(faults: readonly object[], names = ['a', 'b']) {
  const world = await emulated()
  const { client } = world
  await client.faults(faults)
  for (const name of names) await client.append(name, await client.opened(name), [{ uuid: name }], upTo('1'))
  const committed = async () => {
    const statuses = (await client.status(names)).json.channel_statuses
    return names.filter((name) => statuses[name].last_committed_offset_token === '1')
  }
  return { ...world, committed }
}

describe('commits', () => {
  it('take a fixed time, for the channels named; others as long as ever', async () => {
    const { clock, committed } = await appended([{ operation: 'commit', channel: 'a', action: 'delay', ms: 8000 }])
    await clock.advance(1000)
    expect(await committed()).toEqual(['b'])
    // Up to a quarter early.
    await clock.advance(4000)
    expect(await committed()).toEqual(['b'])
    await clock.advance(3000)
    expect(await committed()).toEqual(['a', 'b'])
  })

  it('take a time drawn between two, the same ones for the same seed', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `pi-${i}`)
    const order = async (seed: number) => {
      const { clock, committed } = await appended(
        [{ operation: 'commit', action: 'delay', ms: [1000, 60_000], seed }],
        names,
      )
      const seen: string[] = []
      for (let s = 0; s < 60; s += 1) {
        await clock.advance(1000)
        const now = await committed()
        seen.push(...now.filter((name) => !seen.includes(name)))
      }
      return seen
    }
    const [first, again, other] = [await order(4), await order(4), await order(5)]
    expect(first.toSorted()).toEqual(names)
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
  })

  it('of one channel stay in order, whatever times are drawn', async () => {
    const { client, clock, emulator } = await emulated()
    await client.faults([{ operation: 'commit', action: 'delay', ms: [0, 5000], seed: 2 }])
    let token = await client.opened('a')
    for (let i = 1; i <= 8; i += 1)
      token = (await client.append('a', token, [{ uuid: String(i) }], upTo(String(i)))).json.next_continuation_token
    let before = 0
    for (let s = 0; s < 10; s += 1) {
      await clock.advance(500)
      const committed = Number((await client.statusOf('a'))?.last_committed_offset_token ?? 0)
      expect(committed).toBeGreaterThanOrEqual(before)
      before = committed
      expect(emulator.stats().rowsInserted).toBe(committed)
    }
    expect(before).toBe(8)
  })

  it('of one channel are frozen and of the others not', async () => {
    const { client, clock, committed } = await appended([{ operation: 'commit', channel: 'A', action: 'freeze' }])
    await clock.advance(60_000)
    expect(await committed()).toEqual(['b'])
    await client.faults([])
    expect(await committed()).toEqual(['a', 'b'])
  })

  it('are frozen for a time, and then go on by themselves', async () => {
    const { clock, committed, emulator } = await appended([{ action: 'freeze', after: '500ms', for: '5s' }])
    await clock.advance(5400)
    expect(await committed()).toEqual([])
    await clock.advance(100)
    await expect.poll(() => emulator.stats().rowsInserted).toBe(2)
  })
})

describe('the clock of the service', () => {
  it('is wrong in the Date header, and in what it thinks of a JWT', async () => {
    const { client, clock } = await emulated()
    const dateOf = async () => Date.parse(String((await client.call('GET', '/emulator/health')).headers.date))
    const signIn = async () => (await client.call('GET', '/v2/streaming/hostname')).json?.code
    expect(await dateOf()).toBe(clock.now())
    expect(await signIn()).toBeUndefined()
    for (const [by, ms] of [
      ['-5m', -300_000],
      ['2h', 7_200_000],
    ] as const) {
      await client.faults([{ action: 'skew-clock', by, for: '10s' }])
      expect(await dateOf()).toBe(clock.now() + ms)
      expect(await signIn()).toBe('390144')
      await clock.advance(10_000)
      expect(await dateOf()).toBe(clock.now())
      expect(await signIn()).toBeUndefined()
    }
  })
})
