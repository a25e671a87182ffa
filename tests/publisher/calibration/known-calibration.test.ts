import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  type CalibrationFile,
  readCalibrationFile,
  writeCalibrationFile,
} from '../../../publisher/calibration/calibration-file.ts'
import { UNCALIBRATED } from '../../../publisher/calibration/inertial-calibration.ts'
import { calibrationFileOf, knownCalibration } from '../../../publisher/calibration/known-calibration.ts'
import { silentLog } from '../../../src/log.ts'
import { temporaryDirectory } from '../../support/directory.ts'

const OWN: CalibrationFile = {
  version: 1,
  simulated: false,
  magnetometer: {
    offset: [1, 2, 3],
    matrix: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    strength: 49,
    residual: 0.01,
    points: 400,
    taken_at: '2026-01-02T03:04:05.000Z',
  },
  temperature: [{ reference: 20, sensor: 25, cpu: 45, taken_at: '2026-01-02T03:04:05.000Z' }],
}
const INI = `CompassCalValid=true
CompassCalMinX=-60
CompassCalMinY=-60
CompassCalMinZ=-60
CompassCalMaxX=40
CompassCalMaxY=40
CompassCalMaxZ=40
AccelCalValid=true
AccelCalMinX=-1
AccelCalMinY=-1
AccelCalMinZ=-1
AccelCalMaxX=1.1
AccelCalMaxY=1.1
AccelCalMaxZ=1.1
`

async function machine() {
  const dir = temporaryDirectory()
  const [home, root] = [join(dir, 'home'), join(dir, 'root')]
  await mkdir(join(home, '.config/sense_hat'), { recursive: true })
  await mkdir(join(root, 'etc'), { recursive: true })
  const known = (changed: Partial<Parameters<typeof knownCalibration>[0]> = {}) =>
    knownCalibration(
      { simulate: false, outbox_dir: dir, calibration_file: '', rtimulib_ini: '', ...changed },
      { home: () => home, root },
      silentLog(),
    )
  return {
    dir,
    known,
    users: join(home, '.config/sense_hat/RTIMULib.ini'),
    systems: join(root, 'etc/RTIMULib.ini'),
    own: join(dir, 'calibration.json'),
  }
}

describe('what is known of a board', () => {
  it('is nothing where there are no files', async () => {
    const { known } = await machine()
    expect(await known()).toEqual({ inertial: UNCALIBRATED, heat: undefined })
  })

  it("is python-sense-hat's: the user's file before the system's", async () => {
    const { known, users, systems } = await machine()
    await writeFile(systems, INI)
    expect((await known()).inertial.field?.offset).toEqual({ x: -10, y: -10, z: -10 })
    await writeFile(users, INI.replaceAll('=40', '=60'))
    expect((await known()).inertial.field?.offset).toEqual({ x: 0, y: 0, z: 0 })
  })

  it('is its own before that, sensor by sensor', async () => {
    const { known, own, systems } = await machine()
    await writeFile(systems, INI)
    await writeCalibrationFile(own, OWN)
    const { inertial, heat } = await known()
    expect(inertial.field?.offset).toEqual({ x: 1, y: 2, z: 3 })
    expect(inertial.accel?.offset.x).toBeCloseTo(0.05, 9)
    expect(heat?.factor).toBeCloseTo(4, 9)
  })

  it('may be in files the settings name, or in none', async () => {
    const { dir, known, systems } = await machine()
    await writeFile(systems, INI)
    await writeFile(join(dir, 'mine.ini'), INI.replaceAll('=40', '=80'))
    expect((await known({ rtimulib_ini: join(dir, 'mine.ini') })).inertial.field?.offset.x).toBe(10)
    expect((await known({ rtimulib_ini: 'none' })).inertial).toEqual(UNCALIBRATED)
    await writeCalibrationFile(join(dir, 'other/place.json'), OWN)
    const { inertial } = await known({ calibration_file: join(dir, 'other/place.json') })
    expect(inertial.field?.offset.x).toBe(1)
  })

  it('of a simulated board is never taken for a real one, nor the other way round', async () => {
    const { known, own, systems } = await machine()
    await writeFile(systems, INI)
    await writeCalibrationFile(own, OWN)
    expect(await known({ simulate: true })).toEqual({ inertial: UNCALIBRATED, heat: undefined })
    await writeCalibrationFile(own, { ...OWN, simulated: true })
    expect((await known()).inertial.field?.offset.x).toBe(-10)
    expect((await known({ simulate: true })).inertial.field?.offset.x).toBe(1)
  })

  it('a broken file that lies around is passed over, one that was asked for stops the start', async () => {
    const { known, users, systems } = await machine()
    await writeFile(users, 'IMUType=7\n')
    await writeFile(systems, INI)
    expect((await known()).inertial.field?.offset.x).toBe(-10)
    const hint = expect.stringContaining('publisher.rtimulib_ini')
    await expect(known({ rtimulib_ini: users })).rejects.toMatchObject({ code: 'E_CONFIG_INVALID', hint })
    await expect(known({ rtimulib_ini: '/nowhere/RTIMULib.ini' })).rejects.toMatchObject({ code: 'E_CONFIG_INVALID' })
  })
})

it('of a user without a home directory is what the system knows', async () => {
  const { systems } = await machine()
  await writeFile(systems, INI)
  const home = () => {
    throw new Error('no such user')
  }
  const settings = { simulate: false, outbox_dir: '', calibration_file: '', rtimulib_ini: '' }
  const { inertial } = await knownCalibration(settings, { home, root: dirname(dirname(systems)) }, silentLog())
  expect(inertial.field?.offset.x).toBe(-10)
})

describe('the file of an own calibration', () => {
  it('is beside the outbox unless the settings name it, and nowhere without either', () => {
    const settings = { simulate: false, outbox_dir: '', calibration_file: '', rtimulib_ini: '' }
    expect(calibrationFileOf({ ...settings, outbox_dir: '/var/lib/o' })).toBe('/var/lib/o/calibration.json')
    expect(calibrationFileOf({ ...settings, outbox_dir: '/o', calibration_file: '/c.json' })).toBe('/c.json')
    expect(calibrationFileOf(settings)).toBeUndefined()
  })

  it('comes back as it was written, and leaves nothing beside it', async () => {
    const { own } = await machine()
    await writeCalibrationFile(own, OWN)
    expect(await readCalibrationFile(own)).toEqual(OWN)
    await expect(readFile(`${own}.tmp`)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it.each([
    ['{', 'it is no JSON'],
    ['[]', 'the document'],
    ['{"version":2,"simulated":false}', 'version is not 1'],
    ['{"version":1,"simulated":false,"compass":{}}', 'the document has "compass", which is unknown'],
    [JSON.stringify({ ...OWN, temperature: [{ reference: 'warm' }] }), 'temperature.0.reference must be a number'],
    [
      JSON.stringify({
        ...OWN,
        magnetometer: {
          ...OWN.magnetometer,
          matrix: [
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 0],
          ],
        },
      }),
      'magnetometer.matrix squeezes the field flat',
    ],
  ])('that cannot be used is told in a sentence: %s', async (text, sentence) => {
    const { own } = await machine()
    await writeFile(own, text)
    await expect(readCalibrationFile(own)).rejects.toMatchObject({
      code: 'E_CONFIG_INVALID',
      message: expect.stringContaining(sentence),
    })
  })

  it('that cannot be written is told with its place', async () => {
    const { own } = await machine()
    await writeFile(own, 'a file, and no directory')
    await expect(writeCalibrationFile(join(own, 'c.json'), OWN)).rejects.toMatchObject({
      code: 'E_FILE_UNWRITABLE',
      message: expect.stringContaining(join(own, 'c.json')),
    })
  })
})
