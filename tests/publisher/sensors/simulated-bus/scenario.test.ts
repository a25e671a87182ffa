import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  readScenario,
  readScenarioFile,
  type ScenarioEvent,
} from '../../../../publisher/sensors/simulated-bus/scenario-file.ts'
import { openSimulator } from '../../../../publisher/sensors/simulator.ts'
import { silentLog } from '../../../../src/log.ts'
import { temporaryDirectory } from '../../../support/directory.ts'
import { LeapClock } from '../../../support/leap-clock.ts'
import { settled } from '../../../support/manual-clock.ts'

const EXAMPLE = 'docs/examples/scenario.yaml'

async function simulated(events: readonly ScenarioEvent[]) {
  const clock = new LeapClock()
  const options = { seed: 3, board: 'v1', environment: 'indoor', altitude_m: 0, motion: 'still', events } as const
  const simulator = await openSimulator(options, { clock, log: silentLog() })
  onTestFinished(() => simulator.close())
  const valuesAfter = async (seconds: number) => {
    let values = await simulator.read().catch(() => null)
    for (let i = 0; i < seconds; i++) {
      clock.leap(1_000)
      values = await simulator.read().catch(() => null)
      await settled()
    }
    return values
  }
  return { simulator, valuesAfter }
}

describe('a scenario', () => {
  it('of the docs shows every event there is', async () => {
    const { events } = await readScenarioFile(EXAMPLE)
    expect(new Set(events.map(({ event }) => event)).size).toBe(9)
    expect(events[0]).toEqual({ event: 'door-opens', at: 30_000, for: 180_000, outside: 4, dew_point: 1 })
  })

  it('lets a chip die and come back, by the time since the start', async () => {
    const { simulator, valuesAfter } = await simulated(
      readScenario('events: [{ at: 10s, event: chip-dies, chip: humidity, for: 20s }]').events,
    )
    expect((await valuesAfter(9))?.humidity).not.toBeNull()
    expect((await valuesAfter(3))?.humidity).toBeNull()
    expect(simulator.problems).toEqual(['the HTS221: nobody answers (0x5f)'])
    expect((await valuesAfter(60))?.humidity).not.toBeNull()
    expect(simulator.problems).toEqual([])
  })

  it('lets cold air in through a door', async () => {
    const { valuesAfter, simulator } = await simulated(
      readScenario('events: [{ at: 1, event: door-opens, for: 10m, outside: -5 }]').events,
    )
    const before = (await valuesAfter(0))?.temperature ?? Number.NaN
    expect(before - ((await valuesAfter(600))?.temperature ?? Number.NaN)).toBeGreaterThan(4)
    expect(simulator.problems).toEqual([])
    expect(Math.abs(before - ((await valuesAfter(3_600))?.temperature ?? Number.NaN))).toBeLessThan(3)
  })

  it('lets the Pi be picked up and put back as it lay', async () => {
    const { valuesAfter } = await simulated(readScenario('events: [{ at: 5, event: picked-up, for: 60 }]').events)
    const lying = await valuesAfter(4)
    let tilted = 0
    for (let i = 0; i < 50; i++) tilted = Math.max(tilted, Math.abs((await valuesAfter(1))?.accel_x ?? 0))
    expect(tilted).toBeGreaterThan(0.1)
    expect((await valuesAfter(30))?.accel_x).toBeCloseTo(lying?.accel_x ?? Number.NaN, 1)
  })

  it('of everything ends with a board that is whole', async () => {
    const { events } = readScenario(await readFile(EXAMPLE, 'utf8'))
    const { simulator, valuesAfter } = await simulated(events)
    await valuesAfter(660)
    const values = await valuesAfter(90)
    expect(simulator.problems).toEqual([])
    expect([values?.temperature, values?.pressure, values?.accel_x, values?.mag_x]).not.toContain(null)
    expect(simulator.health.map(({ failures }) => failures > 0)).toEqual([true, true, true, true])
  })

  it('is the same each time', async () => {
    const { events } = readScenario(await readFile(EXAMPLE, 'utf8'))
    const one = await (await simulated(events)).valuesAfter(200)
    expect(await (await simulated(events)).valuesAfter(200)).toEqual(one)
  })
})

describe('a scenario that makes no sense is explained in one sentence:', () => {
  it.each([
    ['nothing', '', 'the document'],
    ['no events', 'evnets: []', 'events is missing'],
    ['no list', 'events: 3', 'events must be a list of events'],
    [
      'an event of another name',
      'events: [{ at: 1, event: chip-dyes }]',
      'events[0].event is "chip-dyes", which is unknown; did you mean "chip-dies"?',
    ],
    [
      'a chip of another name',
      'events: [{ at: 1, for: 1, event: chip-dies, chip: humdity }]',
      'events[0].chip is "humdity", which is unknown; did you mean "humidity"?',
    ],
    [
      'a time that is none',
      'events: [{ at: soon, event: brown-out }]',
      'events[0].at must be a time such as 90s, 5m or 1h',
    ],
    ['no length', 'events: [{ at: 1, event: picked-up }]', 'events[0].for is missing'],
    [
      'a key that is unknown',
      'events: [{ at: 1, for: 1, event: picked-up, by: me }]',
      'events[0] has "by", which is unknown',
    ],
    [
      'a share above 1',
      'events: [{ at: 1, for: 1, event: bad-contact, share: 2 }]',
      'events[0].share must be a share between 0 and 1',
    ],
  ])('%s', (_what, yaml, sentence) => {
    expect(() => readScenario(yaml)).toThrow(sentence)
  })

  it('a file that is not there, or holds none', async () => {
    await expect(readScenarioFile('/nowhere/x.yaml')).rejects.toMatchObject({ code: 'E_CONFIG_INVALID' })
    const file = join(temporaryDirectory(), 'x.yaml')
    await writeFile(file, 'events: {')
    await expect(readScenarioFile(file)).rejects.toMatchObject({
      code: 'E_CONFIG_INVALID',
      message: expect.stringContaining(`${file} holds no scenario`),
      hint: expect.stringContaining('docs/examples/scenario.yaml'),
    })
  })
})
