import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { Axes } from '../wire/message.ts'

/*
 * The public data set MotionSense (github.com/mmalekzadeh/motion-sense, MIT): an iPhone 6s in the front trouser pocket, 50 Hz.
 * A folder `<activity>_<trial>` for each trial, a file `sub_<person>.csv` (or .csv.gz) for each person in it. Accelerations are
 * in g. Columns are known by their names: those of the set itself, or gx to az.
 */

/** m/s² in a g [documented: the app's UNITS.md, and the standard gravity]. */
const G = 9.80665
const COLUMNS = {
  gravity: [
    ['gravity.x', 'gx'],
    ['gravity.y', 'gy'],
    ['gravity.z', 'gz'],
  ],
  acceleration: [
    ['userAcceleration.x', 'ax'],
    ['userAcceleration.y', 'ay'],
    ['userAcceleration.z', 'az'],
  ],
} as const

/** What people did, by the set's abbreviation. */
export const DONE = {
  sit: 'stationary',
  std: 'stationary',
  wlk: 'walking',
  ups: 'walking',
  dws: 'walking',
  jog: 'running',
} as const

export type Done = keyof typeof DONE

/** One person doing one thing. */
export interface Trial {
  readonly person: number
  readonly done: Done
  readonly trial: number
  /** m/s²; row k was measured at k / 50 s. */
  readonly rows: readonly { readonly acceleration: Axes; readonly gravity: Axes }[]
}

/** All trials of a folder, in the order of folders and people. Throws `E_FILE_UNREADABLE` when it is no such data set. */
export async function* readMotionSense(folder: string): AsyncGenerator<Trial, void, undefined> {
  let found = false
  for (const name of (await list(folder)).sort()) {
    const [, done, trial] = /^([a-z]{3})_(\d+)$/.exec(name) ?? []
    if (done === undefined || !Object.hasOwn(DONE, done)) continue
    for (const file of (await list(join(folder, name))).sort(byNumber)) {
      const [, person] = /^sub_(\d+)\.csv(?:\.gz)?$/.exec(file) ?? []
      if (person === undefined) continue
      found = true
      const path = join(folder, name, file)
      yield { person: Number(person), done: done as Done, trial: Number(trial), rows: rowsOf(await textOf(path), path) }
    }
  }
  if (!found)
    throw new SnowhatError('E_FILE_UNREADABLE', `${folder} holds no trials of MotionSense`, {
      hint: 'give the folder with wlk_7, jog_9 and the others, each with sub_1.csv and so on',
    })
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    throw unreadable(folder, error)
  }
}

async function textOf(path: string): Promise<string> {
  try {
    const bytes = await readFile(path)
    return (path.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes).toString('utf8')
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): SnowhatError {
  return new SnowhatError('E_FILE_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, {
    cause: error,
    hint: 'give the folder of the data set, or a file that --windows has written',
  })
}

function rowsOf(text: string, path: string): Trial['rows'] {
  const [header = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '')
  const names = header.split(',').map((name) => name.trim().replaceAll('"', ''))
  const at = (known: readonly string[]) => names.findIndex((name) => known.includes(name))
  const gravity = COLUMNS.gravity.map(at)
  const acceleration = COLUMNS.acceleration.map(at)
  if ([...gravity, ...acceleration].includes(-1))
    throw new SnowhatError(
      'E_FILE_UNREADABLE',
      `${path} lacks gravity or acceleration: its columns are ${header.trim()}`,
      {
        hint: 'the device-motion files are the right ones',
      },
    )
  return lines.map((line, i) => {
    const fields = line.split(',').map(Number)
    const axes = (columns: readonly number[]): Axes => {
      const [x = NaN, y = NaN, z = NaN] = columns.map((column) => (fields[column] ?? NaN) * G)
      if (!Number.isFinite(x + y + z))
        throw new SnowhatError('E_FILE_UNREADABLE', `line ${i + 2} of ${path} has no number where one must be`)
      return { x, y, z }
    }
    return { acceleration: axes(acceleration), gravity: axes(gravity) }
  })
}
