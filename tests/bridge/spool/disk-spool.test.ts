import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatToken, type OffsetToken } from '../../../bridge/offset-token.ts'
import type { DeviceLog } from '../../../bridge/spool/device-log.ts'
import { type DiskSpool, openDiskSpool } from '../../../bridge/spool/disk-spool.ts'
import { StreamSets } from '../../../src/ledger.ts'
import { silentLog } from '../../../src/log.ts'
import { MemoryFileSystem } from '../../durable-log/support/memory-filesystem.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** A spool on a disk that forgets what was not synced when the power goes. */
class Machine {
  readonly disk = new MemoryFileSystem()
  readonly clock = new ManualClock()
  #names = 0

  open(): Promise<DiskSpool> {
    const newId = () => `own${++this.#names}`
    const settings = { dir: '/spool', maxBytes: 1_000_000 }
    return openDiskSpool(settings, { clock: this.clock, log: silentLog(), fs: this.disk, newId })
  }
}

function row(seq: number, stream = 'aaaaaaaa') {
  return { stream, seq, json: `{"uuid":"pi-${stream}-${seq}"}`, receivedAt: 1_000 + seq, arrived: 5 }
}

const tokens = (device: DeviceLog) => device.rows.map(({ token }) => formatToken(token))

describe('a spool on disk', () => {
  it('has its rows, tokens and name after a power cut', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    await spool.append(spool.device('pi-a'), [row(1), row(2)])
    await spool.append(spool.device('pi-b'), [row(9)])
    await spool.append(spool.device('pi-a'), [row(4)])
    machine.disk.crash()
    const again = await machine.open()
    expect(again.instance).toBe(spool.instance)
    expect(tokens(again.device('pi-a'))).toEqual(['1.own1.aaaaaaaa.1', '1.own1.aaaaaaaa.2', '2.own1.aaaaaaaa.4'])
    expect(tokens(again.device('pi-b'))).toEqual(['1.own1.aaaaaaaa.9'])
    expect(again.device('pi-a').counters.received).toBe(3)
    expect(again.device('pi-a').rows[0]).toMatchObject({ json: row(1).json, receivedAt: 1_001, arrived: 0 })
    expect(again.bytes).toBe(spool.bytes)
  })

  it('goes on with its tokens where it stopped', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    await spool.append(spool.device('pi'), [row(1)])
    await spool.close()
    const again = await machine.open()
    await again.append(again.device('pi'), [row(2), row(7)])
    expect(tokens(again.device('pi'))).toEqual(['1.own1.aaaaaaaa.1', '1.own1.aaaaaaaa.2', '2.own1.aaaaaaaa.7'])
  })

  it('remembers what it has seen in the table, also when the rows themselves are long gone', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    const device = spool.device('pi')
    await spool.append(device, [row(1), row(2), row(3)])
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
    await spool.append(device, [row(1), row(2), row(3)])
    const known = new StreamSets()
    known.add('aaaaaaaa', 1)
    await spool.takeOver(device, {
      known,
      at: '7.old1.aaaaaaaa.1',
      highestOrdinal: 9,
      incarnation: 42,
      agreed: { parsed: 0, errors: 0 },
    })
    await spool.append(device, [row(4)])
    machine.disk.crash()
    const found = (await machine.open()).device('pi')
    expect(tokens(found)).toEqual(['10.own1.aaaaaaaa.2', '10.own1.aaaaaaaa.3', '10.own1.aaaaaaaa.4'])
    expect(found).toMatchObject({ takenOverAt: '7.old1.aaaaaaaa.1', incarnation: 42, resolved: true, opened: false })
    expect(found.committed.of('aaaaaaaa').toJSON()).toEqual([[1, 1]])
  })

  it('gives room back on the disk when rows have left', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    const device = spool.device('pi')
    const big = (seq: number) => ({ ...row(seq), json: JSON.stringify({ uuid: `pi-${seq}`, pad: 'x'.repeat(90_000) }) })
    for (let seq = 1; seq <= 400; seq++) {
      await spool.append(device, [big(seq)])
      device.trimTo(token(1, seq))
      spool.trimmed(device)
    }
    await spool.tidy()
    const segments = (await machine.disk.list('/spool')).filter((name) => /\d{10}/.test(name))
    expect(segments.length).toBeLessThanOrEqual(2)
  })

  it('takes another name when it is told that its own was used, and keeps it', async () => {
    const machine = new Machine()
    const spool = await machine.open()
    await spool.renew()
    expect(spool.instance).toBe('own2')
    machine.disk.crash()
    expect((await machine.open()).instance).toBe('own2')
  })

  it('loses no row it has taken, gives none another token, and knows all it knew, wherever the power goes', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), rows: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('trim' as const), rows: fc.integer({ min: 1, max: 5 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('take over' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('tidy' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const machine = new Machine()
        let spool = await machine.open()
        let seq = 0
        for (const one of steps) {
          const device = spool.device('pi')
          if (one.do === 'append') {
            const rows = Array.from({ length: one.rows }, () => {
              seq += seq % 7 === 3 ? 2 : 1
              return row(seq)
            })
            await spool.append(device, rows)
          } else if (one.do === 'trim') {
            const last = device.rows[Math.min(one.rows, device.rows.length) - 1]
            if (last !== undefined) device.trimTo(last.token)
            spool.trimmed(device)
          } else if (one.do === 'take over') {
            const highestOrdinal = (device.tail?.ordinal ?? 0) + 3
            const takeOver = {
              known: new StreamSets(),
              at: null,
              highestOrdinal,
              incarnation: 1,
              agreed: { parsed: 0, errors: 0 },
            }
            await spool.takeOver(device, takeOver)
          } else if (one.do === 'tidy') await spool.tidy()
          else {
            const before = { tokens: tokens(device), received: device.received.of('aaaaaaaa').toJSON() }
            if (one.do === 'crash') machine.disk.crash()
            else await spool.close()
            spool = await machine.open()
            const after = spool.device('pi')
            // Trims are not written one by one: rows may come back that had left. None is missing, none has moved.
            const found = tokens(after)
            expect(found.slice(found.length - before.tokens.length)).toEqual(before.tokens)
            expect(after.received.of('aaaaaaaa').toJSON()).toEqual(before.received)
            for (const { token } of after.rows) expect(after.has(token.stream, token.seq)).toBe(true)
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})

function token(ordinal: number, seq: number): OffsetToken {
  return { ordinal, owner: 'own1', stream: 'aaaaaaaa', seq }
}
