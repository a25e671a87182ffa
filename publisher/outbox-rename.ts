import { format, parse } from 'node:path'
import type { Clock } from '../src/clock.ts'
import { type DurableLog, openDurableLog } from '../src/durable-log/durable-log.ts'
import { type FileSystem, isDiskFull } from '../src/durable-log/filesystem.ts'
import { diskFull, openFailure } from '../src/durable-log/log-errors.ts'
import { nodeFileSystem } from '../src/durable-log/node-filesystem.ts'
import { firstOfName } from '../src/durable-log/segment.ts'
import { messageOf, SnowhatError, systemCode } from '../src/errors.ts'
import { isHostname } from '../src/hostname.ts'
import { IntervalSet } from '../src/intervals.ts'
import type { Log } from '../src/log.ts'
import { outgoing, type Place } from '../src/outbox/held-readings.ts'
import { randomId } from '../src/random-id.ts'
import type { Reading } from '../src/reading.ts'
import { type OutboxContents, readContents, type StoredReading } from './outbox-contents.ts'
import { encodeRecord, type OutboxRecord } from './outbox-record.ts'
import { type OutboxSnapshot, readOutboxSnapshot, writeOutboxSnapshot } from './outbox-snapshot.ts'
import { noOutbox } from './outbox-status.ts'
import { readSentMark } from './sent-mark.ts'

/*
 * A Pi was given another name while its outbox held readings. `<hostname>-<stream>-<seq>` is a reading's identity: under a
 * new name it is another reading. So only those may be renamed that were surely never sent, else one of them might be
 * in the table under both names. They become the first readings of a stream of their own: for the table the new name
 * begins with them, and the old one ends before them.
 *
 * The others can only go out as they are. Either the publisher is started under the old name until they are in the table,
 * or they are exported: a line of the file is a message for the old name's topic, and what the bridge has already it
 * takes for what it is, a repetition.
 */

export interface RenameOptions {
  readonly to: string
  /**
   * File for the readings that may have been sent; without it they are a reason to refuse. Readings of several names go
   * into one file each, with the name in the file's: a file is sent to one topic.
   */
  readonly exportTo?: string | undefined
}

export interface Renamed {
  readonly renamed: number
  readonly exported: number
  /** Where they are, name by name. */
  readonly files: readonly ExportedFile[]
  /** Names that were replaced. */
  readonly from: readonly string[]
  /** Of the readings renamed; `null` when there were none. */
  readonly stream: string | null
}

export interface ExportedFile {
  readonly hostname: string
  readonly file: string
  readonly readings: number
}

export interface RenameDeps {
  readonly clock: Clock
  readonly log: Log
  readonly newId?: (length: number) => string
  readonly fs?: FileSystem
}

/** A write for each would take long on an SD card. */
const WRITE_AT_ONCE = 256

/**
 * Throws `E_UNDECIDED` when it cannot be done without a decision, `E_USAGE` for a name that is none, `E_RIVAL` while a publisher runs on the outbox. Interrupted,
 * it has renamed some or all, and goes on when it is called again.
 */
export async function renameOutbox(dir: string, options: RenameOptions, deps: RenameDeps): Promise<Renamed> {
  const { to, exportTo } = options
  const fs = deps.fs ?? nodeFileSystem()
  if (!isHostname(to))
    throw new SnowhatError('E_USAGE', `"${to}" cannot be the name of a device`, {
      hint: 'use up to 63 of a-z, 0-9, _ and -, the first a letter or digit, and neither "bridge" nor "elastic"',
    })
  await mustBeThere(fs, dir)
  const log = await openDurableLog({ dir }, { clock: deps.clock, log: deps.log, fs })
  try {
    const snapshot = await readOutboxSnapshot(fs, dir)
    const contents = await readContents(log.read(log.firstSequence), snapshot)
    const others = contents.held.filter(({ reading }) => reading.hostname !== to)
    const sentThrough = (await readSentMark(fs, dir)) ?? Number.POSITIVE_INFINITY
    const unsent = others.filter(({ order }) => order > sentThrough)
    const sent = others.filter(({ order }) => order <= sentThrough)
    const from = [...new Set(others.map(({ reading }) => reading.hostname))]
    if (sent.length > 0 && exportTo === undefined) throw undecided(dir, sent, unsent.length, to)
    const files = exportTo === undefined ? [] : await writeExports(fs, exportTo, sent)
    const stream = unsent.length === 0 ? null : (deps.newId ?? randomId)(8)
    const renamed = stream === null ? [] : renameAll(unsent, to, stream)
    await append(log, renamed)
    await remember(fs, dir, snapshot, contents, sent, renamed)
    return { renamed: renamed.length, exported: sent.length, files, from, stream }
  } finally {
    await log.close()
  }
}

/** Nothing is made where nothing is. */
async function mustBeThere(fs: FileSystem, dir: string): Promise<void> {
  const names = await fs.list(dir).catch((error: unknown) => {
    throw systemCode(error) === 'ENOENT' ? noOutbox(dir) : openFailure(dir, error)
  })
  if (!names.some((name) => firstOfName(name) !== undefined)) throw noOutbox(dir)
}

function undecided(dir: string, sent: readonly StoredReading[], unsent: number, to: string): SnowhatError {
  const names = [...new Set(sent.map(({ reading }) => reading.hostname))].join(' and ')
  return new SnowhatError(
    'E_UNDECIDED',
    `${sent.length} readings of ${names} may have been sent already: under the name ${to} they could be in the table twice` +
      ` (${unsent} others were never sent and can be renamed)`,
    {
      hint: `take them out, to be published under the old name: snowhat publisher outbox rename ${to} --outbox-dir ${dir} --export sent.jsonl`,
    },
  )
}

/** Each keeps its place; the first names nothing before it, as a device's first reading does. */
function renameAll(readings: readonly StoredReading[], hostname: string, stream: string): OutboxRecord[] {
  let before: Place = { order: Math.max(0, (readings[0]?.order ?? 1) - 1), name: `${stream}.0` }
  return readings.map(({ reading, order, takenAt }, i) => {
    const seq = i + 1
    const record = { order, before, takenAt, reading: renamed(reading, hostname, stream, seq) }
    before = { order, name: `${stream}.${seq}` }
    return record
  })
}

function renamed(reading: Reading, hostname: string, stream: string, seq: number): Reading {
  const uuid = `${hostname}-${stream}-${seq}`
  const rowid = reading.rowid === null ? null : `${reading.rowid.split('_')[0]}_${uuid}`
  return { ...reading, uuid, rowid, hostname, stream, seq }
}

async function append(log: DurableLog, records: readonly OutboxRecord[]): Promise<void> {
  for (let at = 0; at < records.length; at += WRITE_AT_ONCE) {
    const some = records.slice(at, at + WRITE_AT_ONCE)
    await Promise.all(
      some.map(({ order, before, takenAt, reading }) => {
        const place = { order, name: `${reading.stream}.${reading.seq}` }
        return log.append(encodeRecord({ reading, place, before, takenAt }))
      }),
    )
  }
  await log.sync()
}

/** What was exported has left; what was renamed goes on from the last of its names. */
async function remember(
  fs: FileSystem,
  dir: string,
  snapshot: OutboxSnapshot | undefined,
  { held, last }: OutboxContents,
  exported: readonly StoredReading[],
  records: readonly OutboxRecord[],
): Promise<void> {
  const gone = new Set(exported.map(({ order }) => order))
  const stay = new IntervalSet()
  for (const { order } of held) if (!gone.has(order)) stay.add(order)
  const newest = records.at(-1)
  const through = last?.order ?? 0
  const name = newest?.order === through ? `${newest.reading.stream}.${newest.reading.seq}` : last?.name
  const place = name === undefined ? null : { order: through, name }
  const notes = snapshot?.notes === undefined ? {} : { notes: snapshot.notes }
  await writeOutboxSnapshot(fs, dir, { through, held: stay.toJSON(), last: place, ...notes })
}

/** All files or none. */
async function writeExports(fs: FileSystem, path: string, readings: readonly StoredReading[]): Promise<ExportedFile[]> {
  const names = [...new Set(readings.map(({ reading }) => reading.hostname))]
  const { dir, name, ext, root } = parse(path)
  const written: ExportedFile[] = []
  try {
    for (const hostname of names) {
      const file = names.length === 1 ? path : format({ root, dir, name: `${name}-${hostname}`, ext })
      const own = readings.filter(({ reading }) => reading.hostname === hostname)
      await writeExport(fs, file, own)
      written.push({ hostname, file, readings: own.length })
    }
    return written
  } catch (error) {
    // They are still in the outbox; the files would only be in the way of the next attempt.
    for (const { file } of written) await fs.unlink(file).catch(() => undefined)
    throw error
  }
}

/** One reading a line, as it would have been sent. An older file is not written over: it may be the only copy. */
async function writeExport(fs: FileSystem, path: string, readings: readonly StoredReading[]): Promise<void> {
  const lines = readings.map((one) => `${JSON.stringify(outgoing(one))}\n`).join('')
  try {
    const file = await fs.open(path, 'create')
    try {
      await file.write(Buffer.from(lines), 0)
      await file.datasync()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isDiskFull(error)) throw diskFull(path, error)
    const there = systemCode(error) === 'EEXIST'
    throw new SnowhatError(
      'E_FILE_UNWRITABLE',
      `${path} ${there ? 'is there already' : `cannot be written: ${messageOf(error)}`}`,
      {
        hint: 'nothing was changed; name a file that can be made',
        cause: error,
      },
    )
  }
}
