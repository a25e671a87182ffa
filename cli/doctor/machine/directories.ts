import type { Check } from '../check.ts'
import type { Examination } from '../examination.ts'
import type { Finding, FindingId } from '../finding.ts'
import { directoryFinding, type KeptDirectory, keptDirectories } from './directory.ts'
import { diskKindFinding, diskSpaceFinding, diskSyncFinding } from './disk.ts'

type Look = (directory: KeptDirectory, examination: Examination, signal: AbortSignal) => Promise<Finding>

function ofEach(id: FindingId, look: Look): Check {
  const onDisk = (examination: Examination) => keptDirectories(examination).filter(({ path }) => path !== '')
  return {
    id,
    pointless: (examination) => (onDisk(examination).length === 0 ? 'nothing is kept on a disk' : undefined),
    run: (examination, signal) => Promise.all(onDisk(examination).map((one) => look(one, examination, signal))),
  }
}

/** Spool and outbox: where what is not in the table yet waits. */
export const directoryChecks: readonly Check[] = [
  {
    id: 'machine.directory',
    run: (examination) => Promise.all(keptDirectories(examination).map(directoryFinding)),
  },
  ofEach('machine.disk-kind', diskKindFinding),
  ofEach('machine.disk-sync', (directory, { clock }, signal) => diskSyncFinding(directory, clock, signal)),
  ofEach('machine.disk-space', diskSpaceFinding),
]
