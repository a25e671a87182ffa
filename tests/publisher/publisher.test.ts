import { describe, expect, it, onTestFinished } from 'vitest'
import type { ClockLook } from '../../publisher/clock-sync.ts'
import type { PublisherSettings } from '../../publisher/config.ts'
import { runPublisher } from '../../publisher/main.ts'
import { type Publisher, startPublisher } from '../../publisher/publisher.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import type { Reading } from '../../src/reading.ts'
import { patient } from '../support/eventually.ts'
import { type Seen, seqsOf, startBroker, until } from './broker.ts'
import { chipsOf } from './sensors/support.ts'
import { identity, ledger, mqttSettings, publisherSections } from './support.ts'

const deps = { clock: systemClock(), log: silentLog(), random: () => 0, identity }

async function start(url: string, changed: Partial<PublisherSettings> = {}): Promise<Publisher> {
  const publisher = await startPublisher(publisherSections(url, changed), deps)
  onTestFinished(() => publisher.close())
  return publisher
}

describe('over a real broker', () => {
  it('readings arrive complete and in order, and leave the outbox by the ledger', async () => {
    const { url, seen, publish } = await startBroker()
    await publish('sensehat/bridge/availability', 'online')
    const publisher = await start(url, { reading_interval: 0.02, max_batches: 2 })
    await publisher.finished
    await until(() => publisher.stats().delivered === 20)
    expect(publisher.bridgeSeen()).toBe(true)
    expect(publisher.stats()).toEqual({ taken: 20, delivered: 20, outbox: 20, committed: 0, givenUp: 0 })
    expect(publisher.latest()?.seq).toBe(20)
    expect(seqsOf(seen)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    const drained = publisher.drained()
    const all = { spooled: [[1, 20] as const], committed: [[1, 20] as const] }
    await publish(
      'sensehat/bridge/devices/pi-a',
      JSON.stringify(ledger({ [publisher.stream]: { spooled: [...all.spooled], committed: [...all.committed] } })),
    )
    await drained
    expect(publisher.stats()).toMatchObject({ outbox: 0, committed: 20 })
  })

  it('a compensated temperature is the one Home Assistant calls so, and the pose is followed', async () => {
    const { url, seen } = await startBroker()
    const compensated = { temperature_compensation: 'offset', temperature_offset: 4 } as const
    const publisher = await start(url, { ...compensated, orientation_rate: 50, reading_interval: 0.1 })
    const document = () => seen.find((m) => m.topic === 'homeassistant/device/pi-a/sensehat/config')
    await until(() => document() !== undefined && (publisher.latest()?.seq ?? 0) >= 3)
    const { components } = JSON.parse(document()?.payload ?? '{}')
    expect(components.temperature_compensated.name).toBe('Temperature')
    expect(components.temperature.name).toBe('Temperature (sensor)')
    const { temperature, temperature_compensated, compensation, ...reading } = publisher.latest() as Reading
    expect([temperature_compensated, compensation]).toEqual([expect.closeTo((temperature ?? 0) - 4, 6), 'offset'])
    expect(reading).toMatchObject({ yaw: expect.any(Number), compass: expect.any(Number) })
  })

  it('with the method cpu and no factor is refused', async () => {
    const { url } = await startBroker()
    await expect(start(url, { temperature_compensation: 'cpu' })).rejects.toMatchObject({ code: 'E_CONFIG_INVALID' })
    await expect(start(url, { orientation_rate: 3 })).rejects.toThrow('orientation_rate is 3; it is 0, or 5 to 100')
  })

  it('the broker says offline when the line is cut, and the Pi says online when it is back', async () => {
    const { url, seen, sockets } = await startBroker()
    await start(url, { reading_interval: 0.05 })
    const words = () => seen.filter((m) => m.topic === 'sensehat/pi-a/availability')
    await until(() => words().length === 1)
    for (const socket of sockets) socket.destroy()
    await until(() => words().length === 3)
    expect(words().map((m) => [m.payload, m.retain])).toEqual([
      ['online', true],
      ['offline', true],
      ['online', true],
    ])
    const before = seqsOf(seen).length
    await until(() => seqsOf(seen).length > before + 5)
    const all = new Set(seqsOf(seen))
    for (let seq = 1; seq <= Math.max(...all); seq++) expect(all.has(seq)).toBe(true)
  })

  it('a clean stop sends what is outstanding, says offline, and not by the Will', async () => {
    const { url, seen } = await startBroker()
    const publisher = await start(url, { reading_interval: 0.02, max_batches: 1 })
    await publisher.finished
    await until(() => seqsOf(seen).length > 0)
    await publisher.close()
    expect(seqsOf(seen)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(seen.filter((m) => m.payload === 'offline')).toEqual([
      { topic: 'sensehat/pi-a/availability', payload: 'offline', retain: true },
    ])
  })

  it('a stop does not hang on a broker that has frozen with messages under way', async () => {
    const { url, seen, freeze } = await startBroker()
    const publisher = await start(url, { reading_interval: 0.02 })
    await until(() => seqsOf(seen).length > 0)
    freeze()
    await until(() => publisher.stats().taken > publisher.stats().delivered + 5)
    const began = performance.now()
    await publisher.close()
    expect(performance.now() - began).toBeLessThan(patient(6_000))
  })

  it('asking again for a retained ledger fetches it', async () => {
    const { url, publish } = await startBroker()
    await publish('sensehat/bridge/devices/pi-a', JSON.stringify(ledger({})))
    const { openMqttLink } = await import('../../src/mqtt-link.ts')
    let heard = 0
    const link = await openMqttLink(
      mqttSettings(url),
      {
        clientId: 'x',
        onMessage: () => void heard++,
        onConnect: () => link.subscribe(['sensehat/bridge/devices/pi-a']),
      },
      deps,
    )
    onTestFinished(() => link.close())
    await until(() => heard === 1)
    await link.subscribe(['sensehat/bridge/devices/pi-a'])
    await until(() => heard === 2)
  })
})

describe('while the clock is not set', () => {
  /** The clock of a Pi after three days without power, until NTP sets it. */
  function stoppedClock() {
    const real = systemClock()
    let behind = 3 * 86_400_000
    let look: ClockLook = { state: 'unsynced', expected: true }
    return {
      clock: { ...real, now: () => real.now() - behind },
      clockSync: { look: async () => look },
      set: () => {
        behind = 0
        look = { state: 'synced', expected: false }
      },
    }
  }

  const taken = (seen: readonly Seen[]) =>
    seen
      .filter((m) => m.topic === 'sensehat/pi-a/readings')
      .flatMap((m) => JSON.parse(m.payload) as Reading | Reading[])

  it('readings wait, state goes on, and info says why; then all arrive in order, with their right times', async () => {
    const { url, seen } = await startBroker()
    const { clock, clockSync, set } = stoppedClock()
    const settings = { reading_interval: 0.1, state_interval: 1, clock_wait: 600_000 }
    const began = Date.now()
    const publisher = await startPublisher(publisherSections(url, settings), { ...deps, clock, clockSync })
    onTestFinished(() => publisher.close())
    await until(() => seen.filter((m) => m.topic === 'sensehat/pi-a/state').length >= 2)
    await until(() => seen.some((m) => m.topic === 'sensehat/pi-a/info' && m.payload.includes('the clock is not set')))
    expect(taken(seen)).toEqual([])
    set()
    await until(() => taken(seen).some((r) => r.clock === 'synced'))
    const arrived = taken(seen)
    expect(arrived.map((r) => r.seq)).toEqual(arrived.map((_, i) => i + 1))
    const first = arrived[0] as Reading
    expect(first).toMatchObject({ clock: 'corrected', after: `${publisher.stream}.0` })
    const times = arrived.map((r) => Date.parse(r.datetimestamp ?? ''))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times[0]).toBeGreaterThanOrEqual(began)
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now())
    expect(first.ts).toBe(Math.floor((times[0] ?? 0) / 1000))
  })

  it('a stop sends what an outbox in memory holds back: a wrong time is better than no reading', async () => {
    const { url, seen } = await startBroker()
    const { clock, clockSync } = stoppedClock()
    const settings = { reading_interval: 0.02, max_batches: 1, clock_wait: 600_000 }
    const publisher = await startPublisher(publisherSections(url, settings), { ...deps, clock, clockSync })
    await publisher.finished
    await until(() => seen.some((m) => m.topic === 'sensehat/pi-a/availability'))
    await publisher.close()
    expect(taken(seen).map((r) => r.clock)).toEqual(Array.from({ length: 10 }, () => 'unsynced'))
  })

  it('a reading is told of before anything keeps it', async () => {
    const publisher = await start('mqtt://127.0.0.1:1', { reading_interval: 0.02 })
    const held: number[] = []
    publisher.events.on('reading:taken', ({ seq }) => held.push(seq - publisher.stats().outbox))
    await until(() => held.length > 5)
    expect(new Set(held)).toEqual(new Set([1]))
  })
})

describe('without a broker', () => {
  const nowhere = 'mqtt://127.0.0.1:1'

  it('readings are kept, and a stop does not hang', async () => {
    const publisher = await start(nowhere, { reading_interval: 0.02, max_batches: 1 })
    await publisher.finished
    const began = performance.now()
    await publisher.close()
    expect(performance.now() - began).toBeLessThan(2_500)
    expect(publisher.stats()).toMatchObject({ taken: 10, delivered: 0, outbox: 10 })
  })

  it('the command ends by itself after its batches when no bridge is there to wait for', async () => {
    const settings = publisherSections(nowhere, { reading_interval: 0.01, max_batches: 1 })
    await runPublisher(settings, { ...deps, signal: new AbortController().signal })
  })

  it('the command ends when it is told to', async () => {
    const stop = new AbortController()
    const running = runPublisher(publisherSections(nowhere), { ...deps, signal: stop.signal })
    stop.abort()
    await running
  })
})

describe('a start', () => {
  it('without a Sense HAT is refused: nothing is simulated that was not asked for', async () => {
    const board = chipsOf()
    board.state.gone = true
    const started = startPublisher(publisherSections('mqtt://127.0.0.1:1', { simulate: false }), {
      ...deps,
      openBus: () => board.open(),
    })
    await expect(started).rejects.toMatchObject({
      code: 'E_NO_SENSE_HAT',
      message: expect.stringContaining('the I2C bus is not there'),
      hint: expect.stringContaining('--simulate'),
    })
  })

  it('with a Sense HAT publishes what it measures, and says that nothing is simulated', async () => {
    const board = chipsOf()
    const settings = { simulate: false, reading_interval: 0.02, max_batches: 1 }
    const openBus = () => board.open()
    const publisher = await startPublisher(publisherSections('mqtt://127.0.0.1:1', settings), {
      ...deps,
      openBus,
      root: '/nowhere',
    })
    await publisher.finished
    expect(publisher.latest()).toMatchObject({ simulated: false, color_red: null })
    expect(publisher.latest()?.pressure).toBeCloseTo(1000, 0)
    await publisher.close()
  })

  it('with a scenario and without --simulate is refused', async () => {
    await expect(start('mqtt://127.0.0.1:1', { simulate: false, scenario: 'x.yaml' })).rejects.toMatchObject({
      code: 'E_CONFIG_INVALID',
      message: 'a scenario is for the simulator',
    })
  })

  it('with an interval of nothing is refused', async () => {
    await expect(start('mqtt://127.0.0.1:1', { reading_interval: 0 })).rejects.toMatchObject({
      code: 'E_CONFIG_INVALID',
    })
  })
})
