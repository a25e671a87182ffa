import { describe, expect, it, onTestFinished } from 'vitest'
import { STATE_VALUES, type StateValue } from '../../../publisher/home-assistant/state-values.ts'
import { NOTHING_KNOWN } from '../../../publisher/host-metrics.ts'
import { createReadingMaker } from '../../../publisher/measure.ts'
import { startPublisher } from '../../../publisher/publisher.ts'
import { openSimulator } from '../../../publisher/sensors/simulator.ts'
import { silentLog } from '../../../src/log.ts'
import type { Reading } from '../../../src/reading.ts'
import { Happenings } from '../../support/happenings.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { startBroker, until } from '../broker.ts'
import { identity, publisherSections } from '../support.ts'

const host = { keys: [], read: async () => NOTHING_KNOWN }
const PER_SECOND = 2
const MINUTES = 10

/** Ten minutes at noon, when there is most light, of a board that nobody touches. */
async function readingsAtRest(environment: 'indoor' | 'outdoor'): Promise<Reading[]> {
  const clock = new ManualClock()
  const options = { seed: 1, board: 'v2', environment, altitude_m: 0, motion: 'still' } as const
  const log = silentLog()
  const sensors = await openSimulator(options, { clock, log })
  const maker = createReadingMaker(identity, 'aaaaaaaa', true, { log, sensors, host })
  const readings: Reading[] = []
  for (let i = 0; i < MINUTES * 60 * PER_SECOND; i++) {
    clock.stall(1000 / PER_SECOND)
    readings.push(await maker.take({ epochMs: clock.now(), clock: 'synced' }))
  }
  return readings
}

/** Root mean square of the change from one reading to the next: at rest that is noise alone. */
function noiseOf({ key, unit }: StateValue, readings: readonly Reading[]): number {
  const squares = readings.slice(1).map((reading, i) => {
    const change = Math.abs(Number(reading[key]) - Number(readings[i]?.[key]))
    return (unit === '°' ? Math.min(change, 360 - change) : change) ** 2
  })
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length)
}

describe('a board at rest', () => {
  it.each(['indoor', 'outdoor'] as const)(
    'has no value that leaves its deadband by noise (%s)',
    async (environment) => {
      const readings = await readingsAtRest(environment)
      const figures = STATE_VALUES.flatMap((value) => {
        const { key, deadband, deadbandShare = 0, unit = '' } = value
        if (deadband === undefined || readings[0]?.[key] === null) return []
        const least = Math.min(...readings.map((reading) => Number(reading[key])))
        const band = Math.max(deadband, deadbandShare * Math.abs(least))
        const noise = noiseOf(value, readings)
        return [{ key, unit, noise, band, times: band / noise }]
      })
      expect(figures.length).toBeGreaterThan(15)
      // Beyond four standard deviations chance gets one reading in sixteen thousand.
      expect(figures.filter(({ times }) => times < 4)).toEqual([])
    },
  )

  it.each(['v1', 'v2'] as const)(
    'two readings a second become one message for Home Assistant in ten seconds (%s)',
    { timeout: 60_000 },
    async (board) => {
      const { url, seen } = await startBroker()
      const clock = new ManualClock()
      const count = (topic: string) => seen.filter((message) => message.topic === `sensehat/pi-a/${topic}`).length
      const settings = { reading_interval: 1 / PER_SECOND, board }
      const deps = { clock, log: silentLog(), random: () => 0, identity, hostMetrics: host }
      const publisher = await startPublisher(publisherSections(url, settings), deps)
      onTestFinished(() => publisher.close())
      await until(() => count('state') > 0)
      const statesBefore = count('state')
      const taken = new Happenings<Reading>()
      publisher.events.on('reading:taken', (reading) => taken.note(reading))
      for (let i = 1; i <= MINUTES * 60 * PER_SECOND; i++) {
        await clock.advance(1000 / PER_SECOND)
        await taken.count(i)
      }
      const readings = taken.all.length
      await until(() => publisher.stats().delivered > readings)
      const states = count('state') - statesBefore
      const factor = (readings / states).toFixed(1)
      process.stdout.write(`${board}: ${readings} readings in ${MINUTES} min, ${states} on state: 1 of ${factor}\n`)
      // The simulated desk is knocked now and then, and that is told at once.
      expect(states).toBeGreaterThanOrEqual(MINUTES * 6 - 1)
      expect(states).toBeLessThanOrEqual(MINUTES * 6 * 1.1)
    },
  )
})
