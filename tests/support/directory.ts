import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Takes what is to be done in the end; by default that is the end of the test. */
export type CleanUp = (close: () => void | Promise<void>) => void

/** A new directory, gone in the end. */
export function temporaryDirectory(cleanUp: CleanUp = onTestFinished): string {
  const directory = mkdtempSync(join(tmpdir(), 'snowhat-test-'))
  cleanUp(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
