import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, expect, it, vi } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { openNotify, SystemdNotify, type Wellbeing, watchdogMs } from '../../src/notify.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { ManualClock } from '../support/manual-clock.ts'

const MINUTE = 60_000

/** A program under a watchdog of two minutes, and what systemd hears of it. */
function watched({ watchdog }: { readonly watchdog: number | undefined } = { watchdog: 2 * MINUTE }) {
  const clock = new ManualClock()
  const heard: string[] = []
  const way = {
    send: (lines: readonly string[]) => {
      heard.push(...lines)
      return Promise.resolve()
    },
    close: () => heard.push('closed'),
  }
  const now: { status: string; stuck: string | undefined } = { status: 'well', stuck: undefined }
  const look = (): Wellbeing => ({ ...now })
  const written: string[] = []
  const log = pino({ base: null }, { write: (line) => void written.push(line) })
  return { clock, heard, now, look, written, notify: new SystemdNotify(way, watchdog, { clock, log }) }
}

const signs = (heard: readonly string[]) => heard.filter((line) => line === 'WATCHDOG=1').length

it('nothing is said before the program has really started, and then READY comes first', async () => {
  const { clock, heard, look, notify } = watched()
  await clock.advance(10 * MINUTE)
  expect(heard).toEqual([])
  notify.ready(look)
  expect(heard).toEqual(['READY=1', 'WATCHDOG=1', 'STATUS=well'])
})

it('the watchdog hears a sign at half its time, and the status only when it is another one', async () => {
  const { clock, heard, now, look, notify } = watched()
  notify.ready(look)
  heard.length = 0
  await clock.advance(3 * MINUTE)
  expect(heard).toEqual(['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1'])
  now.status = 'all\nis\twell'
  await clock.advance(MINUTE)
  expect(heard.slice(3)).toEqual(['WATCHDOG=1', 'STATUS=all is well'])
})

it('without progress the watchdog hears nothing, and the log says once why', async () => {
  const { clock, heard, now, look, notify, written } = watched()
  notify.ready(look)
  heard.length = 0
  now.stuck = 'the disk has not answered for 30 s'
  await clock.advance(3 * MINUTE)
  expect(heard).toEqual(['STATUS=stuck: the disk has not answered for 30 s'])
  expect(written.filter((line) => line.includes('no progress'))).toHaveLength(1)
})

it('progress that comes back in time is told at once, not when the time is up', async () => {
  const { clock, heard, now, look, notify } = watched()
  notify.ready(look)
  now.stuck = 'slow'
  await clock.advance(MINUTE + 30_000)
  now.stuck = undefined
  heard.length = 0
  await clock.advance(1_000)
  expect(heard).toEqual(['WATCHDOG=1', 'STATUS=well'])
})

it('without a watchdog the status is told all the same, and no sign', async () => {
  const { clock, heard, now, look, notify } = watched({ watchdog: undefined })
  notify.ready(look)
  now.status = 'better'
  await clock.advance(MINUTE)
  expect(heard).toEqual(['READY=1', 'STATUS=well', 'STATUS=better'])
})

it('after STOPPING nothing is said, and the end of a start that failed is none', async () => {
  const failed = watched()
  failed.notify.stopping()
  await failed.notify.close()
  expect(failed.heard).toEqual(['closed'])
  const { clock, heard, look, notify } = watched()
  notify.ready(look)
  notify.stopping()
  await clock.advance(5 * MINUTE)
  await notify.close()
  expect(heard.slice(-3)).toEqual(['STOPPING=1', 'STATUS=stopping', 'closed'])
  expect([signs(heard), clock.sleeping]).toEqual([1, 0])
})

it.each([
  [{ WATCHDOG_USEC: '120000000' }, 120_000],
  [{ WATCHDOG_USEC: '120000000', WATCHDOG_PID: '7' }, 120_000],
  [{ WATCHDOG_USEC: '120000000', WATCHDOG_PID: '8' }, undefined],
  [{ WATCHDOG_USEC: '0' }, undefined],
  [{ WATCHDOG_USEC: 'soon' }, undefined],
  [{}, undefined],
])('%j is a watchdog of %s ms for process 7', (env, expected) => {
  expect(watchdogMs(env, 7)).toBe(expected)
})

it('where nobody asks, nothing is opened and nothing is said', async () => {
  const clock = new ManualClock()
  for (const NOTIFY_SOCKET of [undefined, '', 'vsock:2:1234']) {
    const notify = await openNotify({ NOTIFY_SOCKET }, { clock, log: silentLog(), pid: 1 })
    notify.ready(() => ({ status: 'well', stuck: undefined }))
    await notify.close()
  }
  expect(clock.sleeping).toBe(0)
})

const addon = await import('unix-dgram').then(
  (module) => module.default,
  () => undefined,
)
/** npm compiles the addon where it finds a compiler; CI has one. */
const withAddon = addon === undefined && process.env.SNOWHAT_REQUIRE_UNIX_DGRAM !== '1' ? it.skip : it

withAddon('a real socket hears it all, one datagram each time', async () => {
  const path = join(temporaryDirectory(), 'notify')
  const heard: string[] = []
  const socket = addon?.createSocket('unix_dgram', (message) => heard.push(message.toString()))
  socket?.bind(path)
  const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: String(2 * MINUTE * 1_000) }
  const clock = new ManualClock()
  const notify = await openNotify(env, { clock, log: silentLog(), pid: 1 })
  notify.ready(() => ({ status: 'well', stuck: undefined }))
  await clock.advance(MINUTE)
  notify.stopping()
  await notify.close()
  await eventually('all has arrived', () => heard.length === 4)
  expect(heard).toEqual(['READY=1', 'WATCHDOG=1\nSTATUS=well', 'WATCHDOG=1', 'STOPPING=1\nSTATUS=stopping'])
  socket?.close()
})

withAddon('a socket that nobody reads ends no program', async () => {
  const env = { NOTIFY_SOCKET: join(temporaryDirectory(), 'nobody') }
  const notify = await openNotify(env, { clock: new ManualClock(), log: silentLog(), pid: 1 })
  notify.ready(() => ({ status: 'well', stuck: undefined }))
  await notify.close()
})

afterEach(() => {
  vi.unstubAllEnvs()
  vi.doUnmock('unix-dgram')
})

/** A `systemd-notify` that writes down what it is called with. */
function fakeProgram(): () => string {
  const directory = temporaryDirectory()
  const calls = join(directory, 'calls')
  writeFileSync(join(directory, 'systemd-notify'), `#!/bin/sh\nprintf '%s|' "$@" >>${calls}\necho >>${calls}\n`)
  chmodSync(join(directory, 'systemd-notify'), 0o755)
  vi.stubEnv('PATH', `${directory}:${process.env.PATH}`)
  return () => readFileSync(calls, 'utf8')
}

it.each([
  [
    'without the addon',
    '/run/systemd/notify',
    () => vi.doMock('unix-dgram', () => Promise.reject(new Error('not compiled'))),
  ],
  ['to an abstract socket', '@/org/example/notify', () => undefined],
])('%s systemd-notify tells it, in order', async (_name, NOTIFY_SOCKET, arrange) => {
  arrange()
  const calls = fakeProgram()
  const env = { NOTIFY_SOCKET, WATCHDOG_USEC: '120000000' }
  const notify = await openNotify(env, { clock: new ManualClock(), log: silentLog(), pid: 1 })
  notify.ready(() => ({ status: 'well; 2 wait', stuck: undefined }))
  notify.stopping()
  await notify.close()
  expect(calls().trim().split('\n')).toEqual([
    'READY=1|',
    'WATCHDOG=1|STATUS=well; 2 wait|',
    'STOPPING=1|STATUS=stopping|',
  ])
})

it('without the addon and without the program it goes on', async () => {
  vi.stubEnv('PATH', temporaryDirectory())
  const notify = await openNotify({ NOTIFY_SOCKET: '@nobody' }, { clock: new ManualClock(), log: silentLog(), pid: 1 })
  notify.ready(() => ({ status: 'well', stuck: undefined }))
  await notify.close()
})
