import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { BridgeEventMap } from '../../../bridge/events.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'
import { openToday } from '../../../bridge/status/today-keeper.ts'
import { Events } from '../../../src/events.ts'
import { silentLog } from '../../../src/log.ts'
import { defaultSettings } from '../../support/bridge-settings.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { eventually } from '../../support/eventually.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const log = silentLog()

async function open(dir: string, clock = new ManualClock()) {
  const spool = new MemorySpool(1e6)
  const events = new Events<BridgeEventMap>(log)
  const keeper = await openToday(dir, { clock, log, cost: defaultSettings.cost })
  const device = spool.device('pi')
  device.readLedger(null, spool.instance)
  keeper.watch(spool, events)
  return { clock, device, events, keeper, spool }
}

describe("the day's counts", () => {
  it('are fed by what happens, and by looking for what is missing', async () => {
    const { clock, device, events, keeper } = await open('')
    events.emit('batch:appended', 'pi', 3, 700, 'rows', 400)
    events.emit('rows:rejected', 'pi', 2, null)
    device.account('aaaaaaaa', 1)
    await clock.advance(10_000)
    device.account('aaaaaaaa', 5)
    await clock.advance(30_000)
    expect(keeper.today.now).toMatchObject({ bytes: 700, rejected: 2, missing: 3 })
    await keeper.close()
  })

  it('survive a restart where the spool does, and end with the process elsewhere', async () => {
    for (const [dir, bytes] of [
      [temporaryDirectory(), 700],
      ['', 0],
    ] as const) {
      const first = await open(dir)
      first.events.emit('batch:appended', 'pi', 3, 700, 'rows', 400)
      await first.keeper.close()
      const second = await open(dir)
      expect(second.keeper.today.now.bytes).toBe(bytes)
      await second.keeper.close()
    }
  })

  it('go on from where they were, though devices are listed before their ledgers are read', async () => {
    const dir = temporaryDirectory()
    const first = await open(dir)
    first.device.account('aaaaaaaa', 1)
    await first.clock.advance(10_000)
    await first.keeper.close()

    const clock = new ManualClock()
    const spool = new MemorySpool(1e6)
    const device = spool.device('pi')
    device.account('aaaaaaaa', 1)
    device.account('aaaaaaaa', 5)
    const keeper = await openToday(dir, { clock, log, cost: defaultSettings.cost })
    keeper.watch(spool, new Events<BridgeEventMap>(log))
    await clock.advance(20_000)
    device.readLedger(null, spool.instance)
    // It writes between its looks, for which no clock waits.
    await eventually('readings that went missing', async () => {
      await clock.advance(10_000)
      return keeper.today.now.missing === 3
    })
    await keeper.close()
  })

  it('harm nobody when looking fails, and go on afterwards', async () => {
    const { clock, device, keeper, spool } = await open('')
    const devices = vi.spyOn(spool, 'devices').mockImplementationOnce(() => {
      throw new Error('a bug')
    })
    await clock.advance(10_000)
    expect(devices).toHaveBeenCalledOnce()
    device.account('aaaaaaaa', 1)
    await clock.advance(20_000)
    device.account('aaaaaaaa', 3)
    await clock.advance(20_000)
    expect(keeper.today.now.missing).toBe(1)
    await keeper.close()
  })

  it('begin anew when their file is damaged', async () => {
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'today.snapshot'), 'not one of ours')
    const { keeper } = await open(dir)
    expect(keeper.today.now.bytes).toBe(0)
    await keeper.close()
  })

  it('wait for a ledger that was not read: what an earlier bridge missed is not of today', async () => {
    const { clock, keeper, spool } = await open('')
    const late = spool.device('late')
    late.account('aaaaaaaa', 9)
    await clock.advance(40_000)
    late.readLedger(null, spool.instance)
    await clock.advance(40_000)
    expect(keeper.today.now.missing).toBe(0)
    await keeper.close()
  })
})
