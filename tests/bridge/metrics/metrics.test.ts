import { describe, expect, it, onTestFinished } from 'vitest'
import { SnowflakeCalls } from '../../../bridge/metrics/snowflake-calls.ts'
import { noAnswer } from '../../../bridge/snowpipe/answer.ts'
import type { Snowpipe } from '../../../bridge/snowpipe/client.ts'
import type { StatusParts } from '../../../bridge/status/source.ts'
import { systemClock } from '../../../src/clock.ts'
import { LaneWorld } from '../../support/lane-world.ts'
import { pipeNamed } from '../../support/pipes.ts'
import { anyRows } from '../../support/readings.ts'
import { samplesOf } from '../../support/samples.ts'
import { statusOf } from '../../support/status.ts'

/** A bridge whose lanes, spool and Snowflake are a lane world's, and what a scrape of it finds. */
function measured(over: (world: LaneWorld) => Partial<StatusParts> = () => ({})) {
  const world = new LaneWorld()
  const source = statusOf(world, over(world))
  onTestFinished(async () => {
    const closing = world.close()
    await world.clock.advance(60_000)
    await closing
  })
  return { world, scrape: async () => samplesOf(await source.metrics.metrics()) }
}

describe('a scrape', () => {
  it('tells of a device what was received, what is in the table, and what waits', async () => {
    const { world, scrape } = measured()
    world.take(1, 3)
    world.events.emit('readings:spooled', 'pi', anyRows(3))
    await world.run(5_000)
    world.snowpipe.commitDelayMs = 3_600_000
    world.take(4, 5)
    world.events.emit('readings:spooled', 'pi', anyRows(2))
    await world.run(10_000)
    const samples = await scrape()
    expect(samples.get('snowhat_device_readings_received_total{device="pi"}')).toBe(5)
    expect(samples.get('snowhat_device_rows_committed_total{device="pi"}')).toBe(3)
    expect(samples.get('snowhat_device_rows_waiting{device="pi"}')).toBe(2)
    expect(samples.get('snowhat_device_lag_seconds{device="pi"}')).toBeCloseTo(10, 0)
    expect(samples.get('snowhat_device_standstill_seconds{device="pi"}')).toBeCloseTo(10, 0)
    expect(samples.get('snowhat_device_readings_missing{device="pi"}')).toBe(0)
    expect(samples.get('snowhat_device_last_seen_timestamp_seconds{device="pi"}')).toBeCloseTo(
      world.clock.now() / 1000 - 10,
      0,
    )
    expect(samples.get('snowhat_spool_rows')).toBe(2)
    expect(samples.get('snowhat_devices')).toBe(1)
  })

  it('counts a gap as missing', async () => {
    const { world, scrape } = measured()
    world.take(1, 2)
    world.take(5)
    await world.run(100)
    expect((await scrape()).get('snowhat_device_readings_missing{device="pi"}')).toBe(2)
  })

  it('counts calls by their answer, and keeps foreign words out of the labels', async () => {
    const { world, scrape } = measured()
    world.snowpipe.appendFaults.push({ status: 503, code: 'ERR_X' }, { status: 500, code: 'no code, but <b>words</b>' })
    world.take(1, 3)
    await world.run(20_000)
    const samples = await scrape()
    const appends = (code: string) => samples.get(`snowhat_snowflake_requests_total{operation="append",code="${code}"}`)
    expect([appends('ERR_X'), appends('other'), appends('ok')]).toEqual([1, 1, 1])
    expect(samples.get('snowhat_snowflake_request_duration_seconds_count{operation="append"}')).toBe(3)
    expect(samples.get('snowhat_appended_bytes_total')).toBeGreaterThan(0)
    expect(samples.get('snowhat_appended_compressed_bytes_total')).toBeGreaterThan(0)
    expect(samples.get('snowhat_batch_rows_sum')).toBe(3)
    expect(samples.get('snowhat_commit_lag_seconds_count')).toBe(1)
  })

  it('does not let a server fill it with labels', async () => {
    const calls = new SnowflakeCalls(systemClock())
    let n = 0
    const odd = {
      drop: async () => ({ verdict: 'retry', answer: { ...noAnswer(''), code: `C${n++}` } }),
    } as unknown as Snowpipe
    const watched = calls.watch(odd)
    for (let i = 0; i < 200; i++) await watched.drop({ pipe: pipeNamed('p'), channel: 'c' })
    const { Registry } = await import('prom-client')
    const registry = new Registry()
    calls.register(registry)
    const drops = [...samplesOf(await registry.metrics())].filter(([name]) =>
      name.includes('requests_total{operation="drop"'),
    )
    expect(drops.length).toBeLessThanOrEqual(61)
    expect(drops.reduce((sum, [, value]) => sum + value, 0)).toBe(200)
  })

  it('counts a sign-in for each token that is made or new, not for each look at one that is the same', async () => {
    const count = async (exchanged: boolean, tokens: readonly string[]) => {
      const calls = new SnowflakeCalls(systemClock())
      const left = [...tokens]
      const identity = calls.watchIdentity({
        exchanged,
        expiresAt: null,
        hint: '',
        clockSkewMs: 0,
        credential: async () => ({ token: left.shift() ?? '', kind: exchanged ? 'KEYPAIR_JWT' : 'OAUTH' }),
        refused: async () => false,
      })
      for (const _ of tokens) await identity.credential()
      const { Registry } = await import('prom-client')
      const registry = new Registry()
      calls.register(registry)
      return samplesOf(await registry.metrics()).get('snowhat_snowflake_sign_ins_total')
    }
    expect(await count(true, ['a', 'a', 'b'])).toBe(3)
    expect(await count(false, ['a', 'a', 'b', 'b'])).toBe(2)
  })

  it('says why channels were opened again', async () => {
    const { world, scrape } = measured()
    world.take(1, 3)
    await world.run(4_000)
    world.snowpipe.takeAway('pi')
    world.take(4, 6)
    await world.run(6_000)
    const samples = await scrape()
    expect(samples.get('snowhat_channels_opened_total')).toBe(2)
    expect(samples.get('snowhat_channels_reopened_total{cause="refused"}')).toBe(1)
    expect(samples.get('snowhat_channels_reopened_total{cause="no_commit"}')).toBe(0)
  })

  it('shows each reason for not being well as 0 or 1, and lanes by their state', async () => {
    const { world, scrape } = measured(() => ({ beside: () => true }))
    world.take(1, 3)
    await world.run(4_000)
    const samples = await scrape()
    expect(samples.get('snowhat_healthy')).toBe(0)
    expect(samples.get('snowhat_ailment{reason="rival"}')).toBe(1)
    expect(samples.get('snowhat_ailment{reason="held"}')).toBe(0)
    expect(samples.get('snowhat_lanes{state="ready"}')).toBe(1)
    expect(samples.get('snowhat_lanes{state="held"}')).toBe(0)
  })

  it('shows a device that is held', async () => {
    const { world, scrape } = measured()
    world.take(1, 3)
    await world.run(4_000)
    world.snowpipe.lose('pi')
    world.take(4, 6)
    await world.run(4_000)
    const samples = await scrape()
    expect(samples.get('snowhat_devices_held{code="another_channel"}')).toBe(1)
    expect(samples.get('snowhat_lanes{state="held"}')).toBe(1)
  })

  it('has no sample for what is not known', async () => {
    const { scrape } = measured(({ clock }) => ({ identity: { expiresAt: clock.now(), clockSkewMs: 0 } }))
    const { scrape: other } = measured()
    expect((await scrape()).has('snowhat_credential_expiry_timestamp_seconds')).toBe(true)
    expect((await other()).has('snowhat_credential_expiry_timestamp_seconds')).toBe(false)
    expect((await other()).has('snowhat_snowflake_reachable')).toBe(false)
  })

  it('forgets a device that was taken out of use', async () => {
    const { world, scrape } = measured()
    world.take(1, 3)
    await world.run(4_000)
    const source = [...(await scrape()).keys()].some((name) => name.includes('device="pi"'))
    expect(source).toBe(true)
    await world.spool.retire(world.device, false)
    world.events.emit('device:forgotten', 'pi')
    expect([...(await scrape()).keys()].some((name) => name.includes('device="pi"'))).toBe(false)
  })

  it('of a large fleet is written in pieces, and is whole', async () => {
    const world = new LaneWorld()
    const source = statusOf(world, { clock: systemClock(), gaps: () => ({ declared_gaps: 0, undeclared_gaps: 0 }) })
    for (let i = 0; i < 1_500; i++) world.spool.device(`pi-${i}`)
    const text = await source.metrics.metrics()
    const devices = text.slice(text.indexOf('# HELP snowhat_device_'))
    expect(devices.split('\n').filter((line) => line === '')).toEqual([''])
    const samples = samplesOf(text)
    for (const name of ['readings_received_total', 'rows_waiting', 'standstill_seconds'])
      for (const i of [0, 749, 1_499]) expect(samples.get(`snowhat_device_${name}{device="pi-${i}"}`)).toBe(0)
  })
})
