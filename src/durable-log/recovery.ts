import { join } from 'node:path'
import { keepSegment, sweep } from './evidence.ts'
import { type FileSystem, type OpenFile, readThrough } from './filesystem.ts'
import { FRAME_OVERHEAD, KIND } from './frame.ts'
import { settle, tear, tearOff } from './last-segment.ts'
import { unknownVersion } from './log-errors.ts'
import type { Corruption, Gap, RecoveryReport, TornTail } from './recovery-report.ts'
import { type Damage, type Found, scan } from './scan.ts'
import {
  createSegment,
  firstOfName,
  headerVersion,
  isKnownVersion,
  newSegment,
  SEGMENT_HEADER,
  type Segment,
  SegmentList,
  segmentName,
} from './segment.ts'

/*
 * Opening. What it finds is one of three things, and which one follows from where it is:
 *
 *   torn tail   Damage after the last frame that says "what is before me was durable". It is the end of a write no sync
 *               has followed, so nobody was told it is durable. Cut off, with all that is behind it: what comes back
 *               is always a beginning of what was appended. (Should the disk have damaged a write that *was* synced,
 *               and the process died before the next one, this looks the same: that is why whole records behind the
 *               tear are kept as evidence.)
 *   corrupt     Damage before it, or in a segment that is not the last: it was durable and is no more. The file is
 *               kept, the damaged records are skipped and counted, and nothing is written to that segment again.
 *   gap         A number is missing between two segments: a file is gone.
 *
 * What a dead process wrote may be visible and still not be on the disk, or never get there: after a failed sync the
 * kernel calls pages clean that it could not write. So what no sync is known to have followed is written once more, and
 * synced, before it counts as durable.
 */

export interface Recovered {
  readonly segments: SegmentList
  /** The last segment, open for writing. */
  readonly file: OpenFile
  readonly next: number
  /** It ends in the word that all is durable. */
  readonly marked: boolean
  readonly report: RecoveryReport
}

interface Findings {
  readonly corrupt: Corruption[]
  readonly gaps: Gap[]
  readonly unfinished: string[]
  tornTail: TornTail | undefined
  closedProperly: boolean
}

/** `startAt` is the number of the first record, if there is no segment yet. */
export async function recover(fs: FileSystem, dir: string, startAt: number): Promise<Recovered> {
  const names = await fs.list(dir)
  await sweep(fs, dir, names)
  const firsts = names.map(firstOfName).filter((first) => first !== undefined)
  firsts.sort((a, b) => a - b)
  const segments = new SegmentList()
  const findings: Findings = { corrupt: [], gaps: [], unfinished: [], tornTail: undefined, closedProperly: false }
  await removeUnfinished(fs, dir, firsts, findings.unfinished)
  let next: number | undefined
  let file: OpenFile | undefined
  let marked = false
  for (const first of firsts) {
    const segment = newSegment(first)
    const bytes = await readSegment(fs, join(dir, segment.name))
    const version = headerVersion(bytes, first)
    if (version !== undefined && !isKnownVersion(version)) throw unknownVersion(join(dir, segment.name), version)
    if (next !== undefined) explainStart(findings, segments.active, next, first)
    const found = [...scan(bytes, SEGMENT_HEADER, first)]
    const last = first === firsts.at(-1)
    const lost = version === undefined && !found.some(({ frame }) => frame !== undefined)
    // A later segment is the word that this one was synced to its end; the last one has to give it itself.
    const cut = last && !lost ? tear(found) : undefined
    const kept = found.slice(0, cut)
    const end = cut === undefined ? bytes.length : (found[cut] as Found).at
    const damage = kept.filter((one) => one.frame === undefined)
    if (version === undefined)
      damage.unshift({ at: 0, end: Math.min(SEGMENT_HEADER, bytes.length), sequence: first, records: 0 })
    await setAside(fs, dir, segment, bytes, damage, findings.corrupt)
    next = lost ? beyondAllThatFit(bytes, first) : summarise(segment, kept, first)
    segment.size = end
    if (last) {
      if (cut !== undefined) findings.tornTail = await tearOff(fs, dir, segment, bytes, found.slice(cut))
      file = await settle(fs, dir, segment, bytes, kept)
      marked = cut === undefined && kept.at(-1)?.frame?.kind === KIND.mark
      findings.closedProperly = marked
    }
    segments.add(segment)
  }
  if (segments.length === 0) {
    const [segment, created] = await createSegment(fs, dir, startAt)
    segments.add(segment)
    file = created
    findings.closedProperly = findings.unfinished.length === 0
  }
  // The last process may have died after it made or removed a file and before it synced that.
  await fs.syncDirectory(dir)
  next ??= startAt
  return { segments, file: file as OpenFile, next, marked, report: await reportOf(fs, dir, segments, next, findings) }
}

/**
 * Takes away segments that were never born: no record is written before the header is durable. It goes first, because a
 * disk that was full may have stopped a birth, and the segment before it was then written on.
 */
async function removeUnfinished(fs: FileSystem, dir: string, firsts: number[], removed: string[]): Promise<void> {
  for (let first = firsts.at(-1); first !== undefined; first = firsts.at(-1)) {
    const name = segmentName(first)
    const file = await fs.open(join(dir, name), 'read')
    let unborn: boolean
    try {
      const header = await readThrough(file, 0, SEGMENT_HEADER)
      unborn = headerVersion(header, first) === undefined && (await file.size()) <= SEGMENT_HEADER
    } finally {
      await file.close()
    }
    if (!unborn) return
    await fs.unlink(join(dir, name))
    removed.push(name)
    firsts.pop()
  }
}

/** Counts the records of a segment and gives the number of the one after them. */
function summarise(segment: Segment, kept: readonly Found[], first: number): number {
  let next = first
  for (const { at, frame } of kept) {
    if (frame === undefined) continue
    next = frame.sequence
    if (frame.kind === KIND.mark) continue
    segment.places.note(frame.sequence, at)
    segment.records++
    next++
  }
  return next
}

/** Nothing is left to tell how many records a segment had: their numbers must not be given again. */
function beyondAllThatFit(bytes: Buffer, first: number): number {
  return first + Math.ceil(Math.max(0, bytes.length - SEGMENT_HEADER) / FRAME_OVERHEAD)
}

/** Why a segment does not begin where the one before it ended: damage at the end of that, or a missing file. */
function explainStart(findings: Findings, before: Segment, expected: number, first: number): void {
  const last = findings.corrupt.at(-1)
  const atEnd = last !== undefined && last.file === before.name && last.offset + last.bytes === before.size
  if (atEnd && last.sequence <= first) findings.corrupt.splice(-1, 1, { ...last, records: first - last.sequence })
  else if (first > expected) findings.gaps.push({ sequence: expected, records: first - expected })
}

async function setAside(
  fs: FileSystem,
  dir: string,
  segment: Segment,
  bytes: Buffer,
  damage: readonly Damage[],
  corrupt: Corruption[],
): Promise<void> {
  if (damage.length === 0) return
  segment.damaged = true
  const { name: evidence, known } = await keepSegment(fs, dir, segment.name, bytes)
  for (const { at, end, sequence, records } of damage) {
    const untold = end === bytes.length
    const place = { file: segment.name, offset: at, bytes: end - at, sequence, evidence, known }
    corrupt.push({ ...place, records: untold ? undefined : records })
  }
}

async function readSegment(fs: FileSystem, path: string): Promise<Buffer> {
  const file = await fs.open(path, 'read')
  try {
    return await readThrough(file, 0, await file.size())
  } finally {
    await file.close()
  }
}

async function reportOf(
  fs: FileSystem,
  dir: string,
  segments: SegmentList,
  next: number,
  findings: Findings,
): Promise<RecoveryReport> {
  return {
    segments: segments.length,
    records: segments.records,
    bytes: segments.bytes,
    firstSequence: segments.oldest?.first ?? next,
    nextSequence: next,
    freeBytes: await fs.free(dir),
    ...findings,
  }
}
