import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runCalibrateCommand } from '../../../cli/calibrate/command.ts'
import { progressLine } from '../../../cli/calibrate/progress-line.ts'
import type { Invocation } from '../../../cli/command.ts'
import { affineOf, readCalibrationFile } from '../../../publisher/calibration/calibration-file.ts'
import type { PublisherSettings } from '../../../publisher/config.ts'
import { length, minus } from '../../../publisher/sensors/rotation.ts'
import { openSimulator } from '../../../publisher/sensors/simulator.ts'
import { lockDirectory } from '../../../src/durable-log/node-lock.ts'
import { silentLog } from '../../../src/log.ts'
import { publisherSettings } from '../../publisher/support.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { LeapClock } from '../../support/leap-clock.ts'

/** The command with the simulated board, at a clock that leaps over every wait. */
function bench(changed: Partial<PublisherSettings> = {}) {
  const clock = new LeapClock()
  const file = join(temporaryDirectory(), 'calibration.json')
  const publisher = publisherSettings({ calibration_file: file, ...changed })
  const stopping = new AbortController()
  const printed: string[] = []
  const written: string[] = []
  const run = (words: string, flags: Invocation['flags'] = {}) => {
    const invocation = {
      settings: { publisher },
      flags,
      positionals: [],
      clock,
      log: silentLog(),
      random: () => 0.5,
      stop: stopping.signal,
      print: (line: string) => printed.push(line),
      output: { write: (text: string) => written.push(text) },
    } as unknown as Invocation
    return runCalibrateCommand(words.split(' '), invocation)
  }
  return { run, file, clock, printed, written, stop: () => stopping.abort('SIGINT') }
}

describe('snowhat publisher calibrate magnetometer', () => {
  it('shows how it goes, finds the hard iron of the board, and keeps it', async () => {
    const { run, file, clock, printed, written } = bench()
    expect(await run('magnetometer')).toBe(0)
    expect(printed.at(-1)).toMatch(/^Quality: good .*hard iron \d+\.\d µT\.\nSaved in .*calibration\.json/)
    expect(written.length).toBeGreaterThan(3)
    expect(written[1]).toMatch(/^coverage \d+ % {2}points \d+ {2}.*turn the .* (up|down)\n$/)
    const kept = await readCalibrationFile(file)
    expect(kept).toMatchObject({ version: 1, simulated: true, magnetometer: { strength: expect.closeTo(49, 0) } })
    // What is left of the field, calibrated, is the earth's.
    const field = kept?.magnetometer ? affineOf(kept.magnetometer) : null
    const options = { seed: 1, board: 'v1', environment: 'indoor', altitude_m: 0, hardIron: true } as const
    const calibration = { accel: null, field, mounting: null, gyroBias: null, declination: 0 }
    const simulator = await openSimulator(options, { clock, log: silentLog(), calibration })
    clock.leap(1_000)
    const { magnetic } = await simulator.inertia()
    const truth = simulator.truth().inertia.field
    expect(magnetic?.field && length(minus(magnetic.field, truth))).toBeLessThan(2.5)
    await simulator.close()
  })

  it('aborted says so, and changes nothing', async () => {
    const { run, file, printed, stop } = bench()
    stop()
    expect(await run('magnetometer')).toBe(1)
    expect(printed.at(-1)).toBe('Aborted: nothing was changed.')
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('keeps what was known of the temperature', async () => {
    const { run, file } = bench()
    expect(await run('temperature', { reference: '20' })).toBe(0)
    expect(await run('magnetometer')).toBe(0)
    expect(await readCalibrationFile(file)).toMatchObject({ temperature: [{ reference: 20 }], magnetometer: {} })
  })
})

describe('snowhat publisher calibrate temperature', () => {
  it('fits the factor of the simulated board from two observations, and says what it is worth', async () => {
    const { run, file, clock, printed } = bench()
    expect(await run('temperature', { reference: '20.5' })).toBe(0)
    expect(printed[0]).toContain('One observation always fits.')
    clock.leap(1_800_000)
    expect(await run('temperature', { reference: '20.6' })).toBe(0)
    expect(printed.at(-2)).toMatch(/Factor \d\.\d\d from 2 observations: \d+ % of the processor's excess/)
    expect(printed.at(-2)).toContain('too alike')
    expect(printed.at(-1)).toContain('set publisher.temperature_compensation to cpu')
    expect((await readCalibrationFile(file))?.temperature?.length).toBe(2)
  })

  it('--fresh forgets earlier observations', async () => {
    const { run, file } = bench()
    await run('temperature', { reference: '20' })
    await run('temperature', { reference: '20', fresh: true })
    expect((await readCalibrationFile(file))?.temperature?.length).toBe(1)
  })

  it.each([
    [{}, 'wants what a thermometer beside the Pi says'],
    [{ reference: 'warm' }, 'wants what a thermometer beside the Pi says'],
    [{ reference: '' }, 'wants what a thermometer beside the Pi says'],
    [{ reference: '35' }, 'the sensor is not warmer than the air'],
  ])('refuses %j, and keeps nothing', async (flags, sentence) => {
    const { run, file } = bench()
    await expect(run('temperature', flags)).rejects.toThrow(sentence)
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('snowhat publisher calibrate', () => {
  it('wants a place to keep what it finds', async () => {
    await expect(bench({ calibration_file: '' }).run('magnetometer')).rejects.toMatchObject({
      code: 'E_USAGE',
      hint: expect.stringContaining('--outbox-dir'),
    })
  })

  it('does not touch the chips while a publisher uses them, unless they are simulated', async () => {
    const outbox_dir = temporaryDirectory()
    const lock = await lockDirectory(outbox_dir)
    if (lock.state !== 'held') throw new Error('no lock')
    onTestFinished(lock.release)
    for (const words of ['magnetometer', 'temperature'])
      await expect(bench({ simulate: false, outbox_dir }).run(words, { reference: '15' })).rejects.toMatchObject({
        code: 'E_RIVAL',
        message: `a publisher is running (process ${process.pid}) and uses the same chips`,
        hint: expect.stringContaining('systemctl stop'),
      })
    expect(await bench({ outbox_dir }).run('temperature', { reference: '15' })).toBe(0)
  })

  it('does not know anything else, and says what is near', async () => {
    await expect(bench().run('magnetmeter')).rejects.toMatchObject({ hint: 'did you mean magnetometer?' })
    await expect(bench().run('temperature now')).rejects.toMatchObject({ code: 'E_USAGE' })
  })
})

describe('the line that shows how it goes', () => {
  it('is written over itself on a terminal, and never wider than it', () => {
    const written: string[] = []
    const line = progressLine({ isTTY: true, columns: 10, write: (text) => written.push(text) }, () => 0)
    line.show('coverage 10 %')
    line.show('done')
    line.end()
    line.end()
    expect(written).toEqual(['\rcoverage \x1b[K', '\rdone\x1b[K', '\n'])
  })

  it('is whole on a terminal that does not say how wide it is', () => {
    const written: string[] = []
    progressLine({ isTTY: true, columns: 0, write: (text) => written.push(text) }, () => 0).show('coverage 10 %')
    expect(written).toEqual(['\rcoverage 10 %\x1b[K'])
  })

  it('is a line every five seconds elsewhere', () => {
    const written: string[] = []
    let now = 0
    const line = progressLine({ write: (text) => written.push(text) }, () => now)
    for (const at of [0, 1_000, 4_999, 5_000]) {
      now = at
      line.show(`at ${at}`)
    }
    line.end()
    expect(written).toEqual(['at 0\n', 'at 5000\n'])
  })
})
