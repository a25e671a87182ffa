import { describe, expect, it } from 'vitest'
import { openDiskOutbox } from '../../publisher/disk-outbox.ts'
import type { Outbox } from '../../publisher/outbox.ts'
import { type Renamed, renameOutbox } from '../../publisher/outbox-rename.ts'
import { outboxStatus } from '../../publisher/outbox-status.ts'
import { StreamSets } from '../../src/ledger.ts'
import { silentLog } from '../../src/log.ts'
import type { Reading } from '../../src/reading.ts'
import { MemoryFileSystem } from '../durable-log/support/memory-filesystem.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { reading } from './support.ts'

const DIR = '/outbox'
const ALL = { readings: 1_000, bytes: 10_000_000 }

/** A Pi that was called pi-a when it took its readings. */
class Pi {
  readonly disk = new MemoryFileSystem()
  readonly clock = new ManualClock()
  #ids = 0

  open(hostname = 'pi-a'): Promise<Outbox> {
    const bounds = { limit: 1_000, aloneMs: 0 }
    const settings = { dir: DIR, ...bounds, syncEveryMs: 0, hostname, boot: 'boot-1' }
    return openDiskOutbox(settings, { clock: this.clock, log: silentLog(), fs: this.disk })
  }

  rename(to = 'pi-b', exportTo?: string): Promise<Renamed> {
    const newId = () => `new${this.#ids++}`
    return renameOutbox(DIR, { to, exportTo }, { clock: this.clock, log: silentLog(), fs: this.disk, newId })
  }

  status() {
    return outboxStatus(DIR, this.disk, async () => undefined)
  }

  /** Measures `taken` readings, of which the first `sent` are sent. */
  async run(taken: number, sent: number): Promise<void> {
    const outbox = await this.open()
    for (let seq = 1; seq <= taken; seq++)
      await outbox.append(reading(seq, 'aaaaaaaa', { rowid: `20260102030405_pi-a-aaaaaaaa-${seq}` }))
    if (sent > 0) await outbox.take({ ...ALL, readings: sent })
    await outbox.close()
  }
}

const uuids = (readings: readonly Reading[]) => readings.map((r) => r.uuid)

describe('a Pi that was renamed', () => {
  it('sends readings that were never sent under its new name, as a stream of its own', async () => {
    const pi = new Pi()
    await pi.run(3, 0)
    expect(await pi.rename()).toEqual({ renamed: 3, exported: 0, files: [], from: ['pi-a'], stream: 'new0' })
    expect(await pi.status()).toMatchObject({ hostnames: ['pi-b'], readings: 3, never_sent: 3 })
    const outbox = await pi.open('pi-b')
    await outbox.append(reading(1, 'bbbbbbbb'))
    const all = await outbox.take(ALL)
    expect(all[1]).toEqual({
      ...reading(2),
      uuid: 'pi-b-new0-2',
      rowid: '20260102030405_pi-b-new0-2',
      hostname: 'pi-b',
      stream: 'new0',
    })
    expect(all.map((r) => [r.stream, r.seq, r.after])).toEqual([
      ['new0', 1, 'new0.0'],
      ['new0', 2, undefined],
      ['new0', 3, undefined],
      ['bbbbbbbb', 1, 'new0.3'],
    ])
  })

  it('is told to decide when some may have been sent: under two names they could be two rows', async () => {
    const pi = new Pi()
    await pi.run(5, 2)
    await expect(pi.rename()).rejects.toMatchObject({
      code: 'E_UNDECIDED',
      message: expect.stringMatching(/^2 readings of pi-a may have been sent already.*\(3 others were never sent/),
      hint: expect.stringMatching(/: snowhat publisher outbox rename pi-b --outbox-dir \/outbox --export sent\.jsonl$/),
    })
    expect(await pi.status()).toMatchObject({ hostnames: ['pi-a'], readings: 5, never_sent: 3 })
  })

  it('can have those in a file, each a message for the old name, and goes on with the others', async () => {
    const pi = new Pi()
    await pi.run(5, 2)
    expect(await pi.rename('pi-b', '/sent.jsonl')).toMatchObject({ renamed: 3, exported: 2 })
    const lines = pi.disk.peek('/sent.jsonl').toString().trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { uuid: 'pi-a-aaaaaaaa-1', after: 'aaaaaaaa.0' },
      { uuid: 'pi-a-aaaaaaaa-2' },
    ])
    const names = ['pi-b-new0-1', 'pi-b-new0-2', 'pi-b-new0-3']
    expect(uuids(await (await pi.open('pi-b')).take(ALL))).toEqual(names)
  })

  it('of several names go into a file each, all of them or none', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    await outbox.append(reading(1))
    await outbox.append({ ...reading(1), hostname: 'pi-c', stream: 'cccccccc' })
    await outbox.take(ALL)
    await outbox.close()
    pi.disk.poke('/sent-pi-c.jsonl', Buffer.from('precious'))
    await expect(pi.rename('pi-b', '/sent.jsonl')).rejects.toMatchObject({
      message: expect.stringContaining('/sent-pi-c.jsonl'),
    })
    await pi.disk.unlink('/sent-pi-c.jsonl')
    expect(await pi.rename('pi-b', '/sent.jsonl')).toMatchObject({
      exported: 2,
      files: [
        { hostname: 'pi-a', file: '/sent-pi-a.jsonl', readings: 1 },
        { hostname: 'pi-c', file: '/sent-pi-c.jsonl', readings: 1 },
      ],
    })
    expect(pi.disk.peek('/sent-pi-c.jsonl').toString()).toContain('"hostname":"pi-c"')
  })

  it('does not write over a file that may be the only copy of other readings', async () => {
    const pi = new Pi()
    await pi.run(2, 2)
    pi.disk.poke('/sent.jsonl', Buffer.from('precious'))
    await expect(pi.rename('pi-b', '/sent.jsonl')).rejects.toMatchObject({ code: 'E_FILE_UNWRITABLE' })
    expect(pi.disk.peek('/sent.jsonl').toString()).toBe('precious')
    expect(await pi.status()).toMatchObject({ hostnames: ['pi-a'], readings: 2 })
  })

  it('takes a reading of a run that was cut off for sent, if it may have been', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    await outbox.append(reading(1))
    await outbox.take(ALL)
    await outbox.append(reading(2))
    pi.disk.kill()
    await expect(pi.rename()).rejects.toMatchObject({ code: 'E_UNDECIDED' })
  })

  it('is not served by a second call: there is nothing left to rename', async () => {
    const pi = new Pi()
    await pi.run(3, 0)
    await pi.rename()
    expect(await pi.rename()).toEqual({ renamed: 0, exported: 0, files: [], from: [], stream: null })
  })

  it('has all readings under one name or the other wherever the power goes, and a second call ends it', async () => {
    for (let calls = 1; calls <= 25; calls++) {
      const pi = new Pi()
      await pi.run(6, 0)
      const crashed = pi.disk.crashAfter(calls)
      await Promise.race([crashed, pi.rename()])
      pi.disk.crash()
      expect(await pi.status()).toMatchObject({ readings: 6 })
      await pi.rename()
      const all = await (await pi.open('pi-b')).take(ALL)
      expect(all.map((r) => r.hostname)).toEqual(Array.from({ length: 6 }, () => 'pi-b'))
      expect(new Set(uuids(all)).size).toBe(6)
    }
  })

  it('is refused while its publisher runs, and a name that cannot be one', async () => {
    const pi = new Pi()
    await pi.open()
    await expect(pi.rename()).rejects.toMatchObject({ code: 'E_RIVAL' })
    await expect(pi.rename('Pi B')).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  it('keeps what waits for the clock waiting', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    await outbox.append(reading(1), { boot: 'boot-1', ms: 5 })
    await outbox.close()
    await pi.rename()
    expect((await pi.open('pi-b')).heldBack).toBe(1)
  })
})

describe('the status of an outbox', () => {
  it('tells what is held, from when, of whom, and how much of the disk it takes', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    const at = (minute: number) => ({ datetimestamp: `2026-01-02T03:0${minute}:00.000Z`, clock: 'synced' })
    for (let seq = 1; seq <= 4; seq++) await outbox.append(reading(seq, 'aaaaaaaa', at(seq)))
    await outbox.append(reading(1, 'bbbbbbbb', { ...at(5), clock: 'unsynced' }))
    const committed = new StreamSets()
    committed.add('aaaaaaaa', 1, 2)
    await outbox.take(ALL)
    await outbox.learn(committed, committed)
    outbox.note({ bridge_seen: true })
    await outbox.close()
    pi.disk.poke(`${DIR}/0000000000000001.log.corrupt`, Buffer.from('x'))
    expect(await pi.status()).toEqual({
      dir: DIR,
      hostnames: ['pi-a'],
      readings: 3,
      never_sent: 0,
      unsynced: 1,
      oldest: '2026-01-02T03:03:00.000Z',
      newest: '2026-01-02T03:05:00.000Z',
      streams: [
        { stream: 'aaaaaaaa', readings: 2 },
        { stream: 'bbbbbbbb', readings: 1 },
      ],
      bytes: expect.any(Number),
      segments: 1,
      damaged: ['0000000000000001.log.corrupt'],
      running: null,
      bridge_seen: true,
    })
  })

  it('changes nothing, also while the publisher writes', async () => {
    const pi = new Pi()
    const outbox = await pi.open()
    await outbox.append(reading(1))
    const before = pi.disk.operations
    const files = await pi.disk.list(DIR)
    const torn = pi.disk.peek(`${DIR}/0000000000000001.log`)
    pi.disk.poke(`${DIR}/0000000000000001.log`, torn.subarray(0, torn.length - 5))
    expect(await pi.status()).toMatchObject({ readings: 0 })
    await settled()
    expect(pi.disk.operations).toBe(before)
    expect(await pi.disk.list(DIR)).toEqual(files)
  })

  it('of a directory without an outbox is an error, and makes none', async () => {
    const pi = new Pi()
    await expect(pi.status()).rejects.toMatchObject({ code: 'E_LOG_IO', message: `there is no outbox in ${DIR}` })
    await expect(pi.rename()).rejects.toMatchObject({ code: 'E_LOG_IO', message: `there is no outbox in ${DIR}` })
    expect(await pi.disk.list('/')).toEqual([])
  })
})
