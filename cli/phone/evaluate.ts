import { readFile, stat, writeFile } from 'node:fs/promises'
import { readParameters } from '../../phone/classify/parameters.ts'
import { cardLines } from '../../phone/evaluate/card-lines.ts'
import { type Evaluated, evaluate } from '../../phone/evaluate/evaluate.ts'
import { readMotionSense } from '../../phone/evaluate/motion-sense.ts'
import { missedMarks } from '../../phone/evaluate/report-card.ts'
import { type LabelledWindow, readWindows, windowsOf, writeWindows } from '../../phone/evaluate/window-table.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { Invocation } from '../command.ts'

/** `snowhat phone evaluate`: 1 when the default classifier misses a mark. */
export async function evaluateFolder({ positionals, flags, print }: Invocation): Promise<number> {
  const [, path, ...more] = positionals
  if (path === undefined || more.length > 0)
    throw new SnowhatError('E_USAGE', 'snowhat phone evaluate wants one folder, or one file of windows', {
      hint: 'the folder of the data set MotionSense, or what --windows has written',
    })
  const parameters = await readParameters(typeof flags.parameters === 'string' ? flags.parameters : undefined)
  const windows = await readAll(path)
  if (typeof flags.windows === 'string') await save(flags.windows, windows)
  const evaluation = evaluate(parameters, windows)
  const missed = evaluation.evaluated.find(isDefault)
  const sentences = missed === undefined ? [] : missedMarks(missed.card)
  if (flags.json === true) print(JSON.stringify({ ...evaluation, missed: sentences }))
  else for (const line of [...cardLines(evaluation), ...(sentences.length === 0 ? [] : ['', ...sentences])]) print(line)
  return sentences.length === 0 ? 0 : 1
}

/** The first model of the classifier that is used when none is named. */
function isDefault({ classifier, way }: Evaluated): boolean {
  return classifier === 'std' && way === 'loso'
}

async function readAll(path: string): Promise<LabelledWindow[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw unreadable(path, error)
    },
  )
  if (!isFolder)
    return readWindows(
      await readFile(path, 'utf8').catch((error: unknown) => {
        throw unreadable(path, error)
      }),
      path,
    )
  const windows: LabelledWindow[] = []
  for await (const trial of readMotionSense(path)) windows.push(...windowsOf(trial))
  return windows
}

async function save(file: string, windows: readonly LabelledWindow[]): Promise<void> {
  try {
    await writeFile(file, writeWindows(windows))
  } catch (error) {
    throw new SnowhatError('E_FILE_UNWRITABLE', `cannot write ${file}: ${messageOf(error)}`, {
      cause: error,
      hint: 'give --windows a file in a directory that is there and that this user may write',
    })
  }
}

function unreadable(path: string, error: unknown): SnowhatError {
  return new SnowhatError('E_FILE_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, {
    cause: error,
    hint: 'give the folder of the data set MotionSense, or what --windows has written',
  })
}
