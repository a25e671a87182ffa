import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forgetTable } from '../../../bridge/lanes/decision.ts'
import { formatToken, type OffsetToken } from '../../../bridge/offset-token.ts'
import type { DeviceLog } from '../../../bridge/spool/device-log.ts'
import { type DiskSpool, openDiskSpool } from '../../../bridge/spool/disk-spool.ts'
import { ASIDE_BYTES } from '../../../bridge/spool/spool.ts'
import type { SpooledRow } from '../../../bridge/spool/spooled-row.ts'
import { StreamSets } from '../../../src/ledger.ts'
import { silentLog } from '../../../src/log.ts'
import { MemoryFileSystem } from '../../durable-log/support/memory-filesystem.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'

/** A spool on a disk that forgets what was not synced when the power goes. */
class Machine {
  readonly disk = new MemoryFileSystem()
  readonly clock = new ManualClock()
  #names = 0

  open(memoryBytes = 1_000_000): Promise<DiskSpool> {
    const newId = () => `own${++this.#names}`
    const settings = { dir: '/spool', maxBytes: 100_000_000, memoryBytes }
    return openDiskSpool(settings, { clock: this.clock, log: silentLog(), fs: this.disk, newId })
  }
}

function row(seq: number, stream = 'aaaaaaaa') {
  return { stream, seq, json: Buffer.from(`{"uuid":"pi-${stream}-${seq}"}`), receivedAt: 1_000 + seq, arrived: 5 }
}

const tokens = (device: DeviceLog) => device.rows.map(({ token }) => formatToken(token))

describe('a spool on disk', () => {
  it('has its rows, tokens and name after a power cut', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    await spool.append([{ device: spool.device('pi-a'), rows: [row(1), row(2)] }])
    await spool.append([{ device: spool.device('pi-b'), rows: [row(9)] }])
    await spool.append([{ device: spool.device('pi-a'), rows: [row(4)] }])
    machine.disk.crash()
    const again = await machine.open()
    expect(again.instance).toBe(spool.instance)
    expect(tokens(again.device('pi-a'))).toEqual(['1.own1.aaaaaaaa.1', '1.own1.aaaaaaaa.2', '2.own1.aaaaaaaa.4'])
    expect(tokens(again.device('pi-b'))).toEqual(['1.own1.aaaaaaaa.9'])
    expect(again.device('pi-a').counters.received).toBe(3)
    expect(again.device('pi-a').rows[0]).toMatchObject({ json: row(1).json, receivedAt: 1_001 })
    expect(again.bytes).toBe(spool.bytes)
  })

  it('reads rows back as old as they are, and one of the future as due', async () => {
    const machine = new Machine()
    const { clock } = machine
    const spool = await machine.open()
    const received = [clock.now() - 20_000, clock.now() + 60_000]
    const rows = received.map((receivedAt, i) => ({ ...row(i + 1), receivedAt }))
    await spool.append([{ device: spool.device('pi'), rows }])
    await spool.close()
    await clock.advance(3_000)
    const again = await machine.open()
    const ages = again.device('pi').rows.map(({ arrived }) => clock.monotonic() - arrived)
    expect(ages).toEqual([23_000, Number.POSITIVE_INFINITY])
  })

  it('says of rows that are all on the disk that they wait since the last one before them came, and no longer', async () => {
    const machine = new Machine()
    const spool = await machine.open(1)
    const device = spool.device('pi')
    for (const seq of [1, 2, 3]) await spool.append([{ device, rows: [{ ...row(seq), receivedAt: seq * 9_000 }] }])
    for (const seq of [1, 2]) {
      // There is room for one at a time.
      expect(tokens(device)).toEqual([`1.own1.aaaaaaaa.${seq}`])
      device.trimTo(token(1, seq))
      expect([device.rows.length, device.waitingSince]).toEqual([0, seq * 9_000])
      spool.trimmed(device)
      await settled()
    }
  })

  it('goes on with its tokens where it stopped', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    await spool.append([{ device: spool.device('pi'), rows: [row(1)] }])
    await spool.close()
    const again = await machine.open()
    await again.append([{ device: again.device('pi'), rows: [row(2), row(7)] }])
    expect(tokens(again.device('pi'))).toEqual(['1.own1.aaaaaaaa.1', '1.own1.aaaaaaaa.2', '2.own1.aaaaaaaa.7'])
  })

  it('remembers what it has seen in the table, also when the rows themselves are long gone', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    const device = spool.device('pi')
    await spool.append([{ device, rows: [row(1), row(2), row(3)] }])
    device.trimTo(token(1, 2))
    spool.trimmed(device)
    await spool.tidy()
    machine.disk.crash()
    const again = await machine.open()
    expect(tokens(again.device('pi'))).toEqual(['1.own1.aaaaaaaa.3'])
    expect(again.device('pi').committed.of('aaaaaaaa').toJSON()).toEqual([[1, 2]])
    expect(again.device('pi').has('aaaaaaaa', 1)).toBe(true)
    expect(again.device('pi').trimmed).toEqual(token(1, 2))
  })

  it('keeps the tokens of a take-over, and never again those before it', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    const device = spool.device('pi')
    await spool.append([{ device, rows: [row(1), row(2), row(3)] }])
    const known = new StreamSets()
    known.add('aaaaaaaa', 1)
    await spool.takeOver(device, {
      known,
      at: '7.old1.aaaaaaaa.1',
      highestOrdinal: 9,
      incarnation: 42,
      agreed: { parsed: 0, errors: 0 },
    })
    await spool.append([{ device, rows: [row(4)] }])
    machine.disk.crash()
    const found = (await machine.open()).device('pi')
    expect(tokens(found)).toEqual(['10.own1.aaaaaaaa.2', '10.own1.aaaaaaaa.3', '10.own1.aaaaaaaa.4'])
    expect(found).toMatchObject({ takenOverAt: '7.old1.aaaaaaaa.1', incarnation: 42, resolved: true, opened: false })
    expect(found.committed.of('aaaaaaaa').toJSON()).toEqual([[1, 1]])
  })

  it('knows after a power cut that a device is out of use, and still what of it is in the table', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    const device = spool.device('pi')
    await spool.append([{ device, rows: [row(1), row(2), row(3)] }])
    device.trimTo(token(1, 2))
    await expect(spool.retire(device, false)).rejects.toMatchObject({ code: 'E_ROWS_WAIT' })
    await spool.retire(device, true)
    expect([device.waiting, spool.bytes]).toEqual([0, 0])
    machine.disk.crash()
    const again = await machine.open()
    const found = again.device('pi')
    expect([...again.devices()]).toEqual([])
    expect(again.known('pi')).toBe(found)
    expect(found).toMatchObject({ retired: true, waiting: 0, trimmed: token(1, 2) })
    expect([2, 3].map((seq) => found.has('aaaaaaaa', seq))).toEqual([true, false])
  })

  it('takes a device into use again with the first rows that come, though the power goes before anything else is written', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    await spool.append([{ device: spool.device('pi'), rows: [row(1), row(2)] }])
    await spool.retire(spool.device('pi'), true)
    await spool.append([{ device: spool.device('pi'), rows: [row(2), row(3)] }])
    machine.disk.crash()
    const again = await machine.open()
    expect([...again.devices()].map(tokens)).toEqual([['2.own1.aaaaaaaa.2', '2.own1.aaaaaaaa.3']])
  })

  it('frees the side log of a device that is taken out of use', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    const device = spool.device('pi')
    await spool.append([{ device, rows: [row(1), row(2)] }])
    await spool.moveAside([device])
    await spool.retire(device, true)
    await spool.save([device])
    expect(device.aside).toBe(false)
    machine.disk.crash()
    const again = await machine.open()
    expect(again.device('pi')).toMatchObject({ retired: true, aside: false, waiting: 0 })
  })

  it('starts from nothing with a channel that was dropped, and knows what is in the table', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    const device = spool.device('pi')
    await spool.append([{ device, rows: [row(1), row(2)] }])
    device.trimTo(token(1, 2))
    await spool.retire(device, false)
    await spool.forgetChannel(device)
    machine.disk.crash()
    const found = (await machine.open()).device('pi')
    expect(found).toMatchObject({ trimmed: null, resolved: false, incarnation: null, pipe: null })
    expect(found.committed.of('aaaaaaaa').toJSON()).toEqual([[1, 2]])
  })

  it('gives room back on the disk when rows have left', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    const device = spool.device('pi')
    const json = (seq: number) => Buffer.from(JSON.stringify({ uuid: `pi-${seq}`, pad: 'x'.repeat(90_000) }))
    const big = (seq: number) => ({ ...row(seq), json: json(seq) })
    for (let seq = 1; seq <= 200; seq++) {
      await spool.append([{ device, rows: [big(seq)] }])
      device.trimTo(token(1, seq))
      spool.trimmed(device)
    }
    await spool.tidy()
    const segments = (await machine.disk.list('/spool')).filter((name) => /\d{10}/.test(name))
    expect(segments.length).toBeLessThanOrEqual(2)
  })

  it('gets room again on a disk that it has filled itself', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    const device = spool.device('pi')
    const big = (seq: number) => ({ ...row(seq), json: Buffer.from(`"${'x'.repeat(1_000_000)}"`) })
    machine.disk.capacity = machine.disk.used + 30_000_000
    let seq = 0
    const append = () => spool.append([{ device, rows: [big(seq + 1)] }]).then(() => seq++)
    await expect(
      (async () => {
        for (;;) await append()
      })(),
    ).rejects.toMatchObject({ code: 'E_SPOOL_FULL' })
    machine.disk.capacity = machine.disk.used
    device.trimTo(token(1, seq))
    spool.trimmed(device)
    await spool.tidy()
    await append()
    machine.disk.crash()
    expect(tokens((await machine.open()).device('pi'))).toEqual([`1.own1.aaaaaaaa.${seq}`])
  })

  it('does not stand on a take-over that is not on the disk: the channel is looked at again', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    const device = spool.device('pi')
    await spool.append([{ device, rows: [row(1), row(2)] }])
    const { capacity } = machine.disk
    machine.disk.capacity = machine.disk.used
    const found = {
      known: new StreamSets(),
      at: null,
      highestOrdinal: 7,
      incarnation: 1,
      agreed: { parsed: 0, errors: 0 },
    }
    await expect(spool.takeOver(device, found)).rejects.toMatchObject({ code: 'E_SPOOL_FULL' })
    expect(device.resolved).toBe(false)
    machine.disk.capacity = capacity
    await spool.takeOver(device, found)
    expect(device.resolved).toBe(true)
    machine.disk.crash()
    const again = (await machine.open()).device('pi')
    expect(again.resolved).toBe(true)
    expect(tokens(again)).toEqual(tokens(device))
  })

  it('takes another name when it is told that its own was used, and keeps it', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    await spool.renew()
    expect(spool.instance).toBe('own2')
    machine.disk.crash()
    expect((await machine.open()).instance).toBe('own2')
  })

  it('keeps no more rows in memory than it may, and gives them all, in order, as room comes', async () => {
    const machine = new Machine()
    const spool = await machine.open(4_000)
    const told = new Set<string>()
    spool.onLoaded = ({ hostname }) => told.add(hostname)
    for (let seq = 1; seq <= 100; seq++)
      for (const name of ['pi-a', 'pi-b']) await spool.append([{ device: spool.device(name), rows: [row(seq)] }])
    for (const name of ['pi-a', 'pi-b']) {
      const device = spool.device(name)
      expect(device.waiting).toBe(100)
      expect(device.rows.length).toBeGreaterThan(0)
      expect(device.rows.length).toBeLessThan(20)
    }
    expect(spool.crowded).toBe(true)
    for (let seq = 1; seq <= 100; seq++)
      for (const name of ['pi-a', 'pi-b']) expect(await drained(spool, name, 1)).toEqual([seq])
    expect(spool.crowded).toBe(false)
    expect(told).toContain('pi-b')
    expect(spool.bytes).toBe(0)
  })

  it('gives a device that stands in the way a log of its own, up to its share, and takes it back when it is empty', async () => {
    const machine = new Machine()
    let spool = await machine.open(500)
    for (let seq = 1; seq <= 50; seq++)
      for (const name of ['stuck', 'well']) await spool.append([{ device: spool.device(name), rows: [row(seq)] }])
    const before = spool.bytes
    await spool.moveAside([spool.device('stuck')])
    expect(spool.bytes).toBe(before / 2)
    // It holds up nobody's way into memory any more.
    expect(await drained(spool, 'well', 50)).toEqual(range(1, 50))
    machine.disk.crash()
    spool = await machine.open(500)
    const stuck = spool.device('stuck')
    expect(stuck).toMatchObject({ aside: true, waiting: 50 })
    await spool.append([{ device: stuck, rows: [row(51)] }])
    expect(stuck.tail).toEqual(token(1, 51))
    const big = { ...row(52), json: Buffer.from(`"${'x'.repeat(ASIDE_BYTES)}"`) }
    expect(await spool.append([{ device: stuck, rows: [big] }])).toEqual(new Set([stuck]))
    expect(stuck.has('aaaaaaaa', 52)).toBe(false)
    expect(await drained(spool, 'stuck', 51)).toEqual(range(1, 51))
    await until(() => !stuck.aside)
    await spool.append([{ device: stuck, rows: [row(52)] }])
    machine.disk.crash()
    spool = await machine.open(500)
    expect(spool.device('stuck')).toMatchObject({ aside: false, waiting: 1 })
    expect(await machine.disk.list('/spool/aside/stuck')).toEqual([])
  })

  it.each(range(1, 8).map((calls) => ({ calls })))(
    'loses nothing when the disk has no room at write $calls of moving a device aside: it stays, or it has moved',
    async ({ calls }) => {
      const machine = new Machine()
      let spool = await machine.open()
      const device = spool.device('pi')
      await spool.append([{ device, rows: [row(1), row(2)] }])
      machine.disk.failNext('write', 'ENOSPC', calls)
      const moved = await spool.moveAside([device]).then(
        () => true,
        () => false,
      )
      expect(device.aside).toBe(moved)
      // What has not struck is over.
      machine.disk.kill()
      machine.disk.crash()
      spool = await machine.open()
      await spool.append([{ device: spool.device('pi'), rows: [row(3)] }])
      machine.disk.crash()
      spool = await machine.open()
      expect(spool.device('pi')).toMatchObject({ aside: moved, waiting: 3 })
      if (!moved) await spool.moveAside([spool.device('pi')])
      expect(await drained(spool, 'pi', 3)).toEqual([1, 2, 3])
    },
  )

  it('takes a device back when the disk has room for that again, and loses nothing meanwhile', async () => {
    const machine = new Machine()
    let spool = await machine.open()
    const device = spool.device('pi')
    await spool.append([{ device, rows: [row(1)] }])
    await spool.moveAside([device])
    await until(() => device.rows.length > 0)
    machine.disk.failNext('write', 'ENOSPC')
    device.trimTo(token(1, 1))
    spool.trimmed(device)
    await settled()
    expect(device.aside).toBe(true)
    await spool.append([{ device, rows: [row(2)] }])
    machine.disk.crash()
    spool = await machine.open()
    expect(await drained(spool, 'pi', spool.device('pi').waiting)).toContain(2)
    await until(() => !spool.device('pi').aside)
  })

  it('does not bring back what a person has said is not in the table, and takes it when its Pi brings it', async () => {
    const machine = new Machine()
    let spool = await machine.open()
    let device = spool.device('pi')
    await spool.append([{ device, rows: [row(1), row(2), row(3)] }])
    device.trimTo(token(1, 2))
    spool.trimmed(device)
    const forgotten = forgetTable(device)
    const agreed = { parsed: 0, errors: 0 }
    const found = { known: new StreamSets(), at: null, highestOrdinal: 1, incarnation: 43, agreed }
    await spool.takeOver(device, { ...found, forgotten })
    machine.disk.crash()
    spool = await machine.open()
    device = spool.device('pi')
    expect(tokens(device)).toEqual(['2.own1.aaaaaaaa.3'])
    await spool.append([{ device, rows: [row(1)] }])
    machine.disk.crash()
    expect(tokens((await machine.open()).device('pi'))).toEqual(['2.own1.aaaaaaaa.3', '3.own1.aaaaaaaa.1'])
  })

  it('takes a new name beside a snapshot that is being written', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    await Promise.all([spool.tidy(), spool.renew(), spool.tidy()])
    machine.disk.crash()
    expect((await machine.open()).instance).toBe(spool.instance)
  })

  it('loses no row it has taken, gives none another token, and knows all it knew, wherever the power goes', async () => {
    const names = fc.constantFrom('pi-a', 'pi-b', 'pi-c')
    const count = fc.integer({ min: 1, max: 9 })
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), names: fc.uniqueArray(names), count }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('trim' as const), name: names, count }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('take over' as const), name: names, count: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('aside' as const), names: fc.uniqueArray(names) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('tidy' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('time' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 300, 10_000), fc.array(step, { maxLength: 40 }), async (memory, steps) => {
        const machine = new Machine()
        let spool = await machine.open(memory)
        const seqs = new Map<string, number>()
        for (const one of steps) {
          switch (one.do) {
            case 'append':
              await spool.append(
                one.names.map((name) => ({
                  device: spool.device(name),
                  rows: range(1, one.count).map(() => {
                    const last = seqs.get(name) ?? 0
                    seqs.set(name, last + (last % 7 === 3 ? 2 : 1))
                    return row(seqs.get(name) as number)
                  }),
                })),
              )
              break
            case 'trim': {
              const device = spool.device(one.name)
              const last = allTokens(device)[Math.min(one.count, device.waiting) - 1]
              // Also beyond what is in memory: a channel that is opened may say so.
              if (last !== undefined) device.trimTo(last)
              spool.trimmed(device)
              break
            }
            case 'take over': {
              const device = spool.device(one.name)
              const known = new StreamSets()
              for (const { stream, seq } of allTokens(device).filter((_, i) => i < one.count || i % 5 === 2))
                known.add(stream, seq)
              const highestOrdinal = (device.tail?.ordinal ?? 0) + 3
              const agreed = { parsed: 0, errors: 0 }
              await spool.takeOver(device, { known, at: null, highestOrdinal, incarnation: 1, agreed })
              for (const { ordinal } of allTokens(device)) expect(ordinal).toBeGreaterThan(highestOrdinal)
              break
            }
            case 'aside':
              await spool.moveAside(one.names.map((name) => spool.device(name)))
              break
            case 'tidy':
              await spool.tidy()
              break
            case 'time':
              await settled()
              break
            default: {
              const before = [...spool.devices()].map((device) => ({
                name: device.hostname,
                tokens: allTokens(device).map(formatToken),
                received: device.received.of('aaaaaaaa').toJSON(),
                counted: device.counters.received,
              }))
              if (one.do === 'crash') machine.disk.crash()
              else await spool.close()
              spool = await machine.open(memory)
              for (const { name, tokens, received, counted } of before) {
                const device = spool.device(name)
                // Trims are not written one by one: rows may come back that had left. None is missing, none has moved.
                const found = allTokens(device).map(formatToken)
                expect(found.slice(found.length - tokens.length)).toEqual(tokens)
                expect(device.received.of('aaaaaaaa').toJSON()).toEqual(received)
                expect(device.counters.received).toBe(counted)
              }
            }
          }
          for (const device of spool.devices()) {
            const all = allTokens(device).map(formatToken)
            expect(all).toHaveLength(device.waiting)
            expect(tokens(device)).toEqual(all.slice(0, device.rows.length))
          }
        }
        const expected = new Map([...spool.devices()].map((device) => [device, allTokens(device)]))
        const left = () => [...spool.devices()].filter(({ waiting }) => waiting > 0)
        while (left().length > 0) {
          await until(() => left().some(({ rows }) => rows.length > 0))
          for (const device of left().filter(({ rows }) => rows.length > 0))
            expect(await drained(spool, device.hostname, 1)).toEqual([expected.get(device)?.shift()?.seq])
        }
        expect(spool.bytes).toBe(0)
      }),
      { numRuns: Number(process.env.SNOWHAT_SPOOL_RUNS ?? 100) },
    )
  })
})

/** Lets rows leave as they come into memory, and gives their seqs. */
async function drained(spool: DiskSpool, hostname: string, rows: number): Promise<number[]> {
  const device = spool.device(hostname)
  const seen: number[] = []
  while (seen.length < rows) {
    await until(() => device.rows.length > 0)
    const { token, json } = device.rows[0] as SpooledRow
    expect(String(json)).toContain(`pi-aaaaaaaa-${token.seq}"`)
    seen.push(token.seq)
    device.trimTo(token)
    spool.trimmed(device)
  }
  return seen
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await settled()
  expect(condition()).toBe(true)
}

function allTokens(device: DeviceLog): OffsetToken[] {
  return [...device.spans].flatMap(({ ordinal, owner, stream, first, last }) =>
    range(first, last).map((seq) => ({ ordinal, owner, stream, seq })),
  )
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

function token(ordinal: number, seq: number): OffsetToken {
  return { ordinal, owner: 'own1', stream: 'aaaaaaaa', seq }
}
