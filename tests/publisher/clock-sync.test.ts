import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ClockLook, type ClockSync, NOT_BEFORE_MS, openClockSync } from '../../publisher/clock-sync.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { ManualClock } from '../support/manual-clock.ts'

const SET: ClockLook = { state: 'synced', expected: false }
const TO_BE_SET: ClockLook = { state: 'unsynced', expected: true }
const NOT_TO_BE_SET: ClockLook = { state: 'unsynced', expected: false }

/** A machine as its files show it. */
class Machine {
  readonly root = temporaryDirectory()
  readonly clock = new ManualClock()
  readonly boot = { boot: 'boot-1', ms: () => this.clock.monotonic() }
  asked = 0

  directory(path: string): this {
    mkdirSync(join(this.root, path), { recursive: true })
    return this
  }

  file(path: string, content = ''): this {
    this.directory(dirname(path))
    writeFileSync(join(this.root, path), content)
    return this
  }

  open(says?: () => Promise<string>, notBefore = NOT_BEFORE_MS): Promise<ClockSync> {
    const ask = async () => {
      this.asked++
      return (await says?.()) ?? ''
    }
    const timedatectl = says === undefined ? undefined : ask
    return openClockSync({ root: this.root, notBefore: () => notBefore, timedatectl }, this.clock, this.boot)
  }
}

const TIMESYNCD = 'run/systemd/timesync'
const MARK = 'run/systemd/timesync/synchronized'
const BATTERY = 'sys/class/rtc/rtc0/since_epoch'
const word = (ntp: string, synchronized: string) => async () => `NTP=${ntp}\nNTPSynchronized=${synchronized}\n`

describe('the clock counts as set', () => {
  it('from the moment systemd-timesyncd leaves its mark, and is expected to be while that runs', async () => {
    const machine = new Machine().directory(TIMESYNCD)
    const sync = await machine.open()
    expect(await sync.look()).toEqual(TO_BE_SET)
    machine.file(MARK)
    await machine.clock.advance(1_000)
    expect(await sync.look()).toEqual(SET)
  })

  it('for good: a time service that is stopped later unsets nothing', async () => {
    const machine = new Machine().file(MARK)
    const sync = await machine.open()
    await sync.look()
    const { rmSync } = await import('node:fs')
    rmSync(join(machine.root, TIMESYNCD), { recursive: true })
    await machine.clock.advance(60_000)
    expect(await sync.look()).toEqual(SET)
  })

  it('when the kernel says so, whoever has set it', async () => {
    let synchronized = 'no'
    const machine = new Machine()
    const sync = await machine.open(() => word('yes', synchronized)())
    expect(await sync.look()).toEqual(TO_BE_SET)
    synchronized = 'yes'
    await machine.clock.advance(10_000)
    await sync.look()
    await machine.clock.advance(1_000)
    expect(await sync.look()).toEqual(SET)
  })

  it('when it is seen to be set, where no time service would ever say so', async () => {
    const machine = new Machine()
    const sync = await machine.open()
    expect(await sync.look()).toEqual(NOT_TO_BE_SET)
    machine.clock.setWall(machine.clock.now() + 3 * 86_400_000)
    await machine.clock.advance(1_000)
    expect(await sync.look()).toEqual(SET)
  })

  it('not when it only drifts, or is put back', async () => {
    const machine = new Machine()
    const sync = await machine.open()
    for (let minute = 0; minute < 60; minute++) {
      machine.clock.setWall(machine.clock.now() + 100)
      await machine.clock.advance(60_000)
      expect(await sync.look()).toEqual(NOT_TO_BE_SET)
    }
    machine.clock.setWall(machine.clock.now() - 3_600_000)
    await machine.clock.advance(1_000)
    expect(await sync.look()).toEqual(NOT_TO_BE_SET)
  })

  it('not by a jump, where timesyncd will say when it is right', async () => {
    const machine = new Machine().directory(TIMESYNCD)
    const sync = await machine.open()
    await sync.look()
    machine.clock.setWall(machine.clock.now() + 3_600_000)
    await machine.clock.advance(1_000)
    expect(await sync.look()).toEqual(TO_BE_SET)
  })
})

describe('it is not waited for', () => {
  it.each<[string, (machine: Machine) => Machine]>([
    ['in a container, where nothing of it can be seen', (machine) => machine],
    [
      'on a desktop without network: its time is from the battery clock',
      (machine) => machine.directory(TIMESYNCD).file(BATTERY, `${machine.clock.now() / 1000}\n`),
    ],
  ])('%s', async (_where, like) => {
    expect(await (await like(new Machine()).open()).look()).toEqual(NOT_TO_BE_SET)
  })

  it('where the kernel knows of no time service', async () => {
    expect(await (await new Machine().open(word('no', 'no'))).look()).toEqual(NOT_TO_BE_SET)
  })

  it('where the kernel cannot be asked after all', async () => {
    const refused = async () => {
      throw new Error('System has not been booted with systemd')
    }
    expect(await (await new Machine().open(refused)).look()).toEqual(NOT_TO_BE_SET)
  })
})

describe('it is waited for', () => {
  it('where chrony runs and the kernel says that it is not synchronised yet', async () => {
    const machine = new Machine().file('run/chrony/chronyd.pid')
    expect(await (await machine.open(word('no', 'no'))).look()).toEqual(TO_BE_SET)
  })

  it('where the battery clock has lost its time: a Pi 5 without a battery', async () => {
    const machine = new Machine().directory(TIMESYNCD).file(BATTERY, '37\n')
    expect(await (await machine.open()).look()).toEqual(TO_BE_SET)
  })

  it('where it is surely wrong, whatever can be seen: older than the program, or than what was measured', async () => {
    const machine = new Machine()
    machine.clock.setWall(Date.UTC(1970, 0, 1))
    expect(await (await machine.open()).look()).toEqual(TO_BE_SET)
    const later = new Machine()
    const newest = later.clock.now() + 60_000
    const sync = await later.open(undefined, newest)
    expect(await sync.look()).toEqual(TO_BE_SET)
    later.clock.setWall(newest + 3_600_000)
    await later.clock.advance(1_000)
    expect(await sync.look()).toEqual(SET)
  })
})

it('the kernel is asked beside the readings, each 10 s at first and rarely later', async () => {
  const machine = new Machine()
  const sync = await machine.open(word('no', 'no'))
  for (let second = 0; second < 600; second++) {
    await sync.look()
    await machine.clock.advance(1_000)
  }
  expect(machine.asked).toBe(60)
  for (let second = 0; second < 3_000; second++) {
    machine.clock.stall(1_000)
    await sync.look()
  }
  expect(machine.asked).toBeLessThanOrEqual(71)
})
