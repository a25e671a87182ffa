import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { PublisherSettings } from '../../publisher/config.ts'
import { runPublisher } from '../../publisher/main.ts'
import { type Publisher, type PublisherDeps, startPublisher } from '../../publisher/publisher.ts'
import { DEGREE } from '../../publisher/sensors/rotation.ts'
import { systemClock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import { type Log, silentLog } from '../../src/log.ts'
import type { Wellbeing } from '../../src/notify.ts'
import type { Reading } from '../../src/reading.ts'
import { MemoryFileSystem } from '../durable-log/support/memory-filesystem.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { type Seen, startBroker, until } from './broker.ts'
import { chipsOf } from './sensors/support.ts'
import { identity, ledger, mqttSettings, publisherSections } from './support.ts'

const NOWHERE = 'mqtt://127.0.0.1:1'
const deps = { clock: systemClock(), log: silentLog(), random: () => 0, identity }

async function start(url: string, changed: Partial<PublisherSettings>): Promise<Publisher> {
  const publisher = await startPublisher(publisherSections(url, changed), deps)
  onTestFinished(() => publisher.close())
  return publisher
}

function run(changed: Partial<PublisherSettings>, more: Partial<PublisherDeps> = {}): Promise<boolean> {
  return runPublisher(publisherSections(NOWHERE, changed), {
    ...deps,
    ...more,
    signal: new AbortController().signal,
  })
}

/** A disk that fails at the first sync after the publisher has said that it has started. */
function failingDisk(): { disk: MemoryFileSystem; failAfterStart: Log } {
  const disk = new MemoryFileSystem()
  const failAfterStart = pino(
    {},
    {
      write: (line) => {
        if (line.includes('the publisher has started')) disk.failNext('datasync')
      },
    },
  )
  return { disk, failAfterStart }
}

function readingsIn(seen: readonly Seen[]): Reading[] {
  return seen
    .filter((m) => m.topic === 'sensehat/pi-a/readings')
    .flatMap((m) => JSON.parse(m.payload) as Reading | Reading[])
}

describe('a publisher with an outbox on disk', () => {
  it('delivers after a restart what it held, under its old stream, and then the new readings', async () => {
    const settings = { outbox_dir: join(temporaryDirectory(), 'outbox'), reading_interval: 0.02, max_batches: 1 }
    const first = await start(NOWHERE, settings)
    await first.finished
    await first.close()
    const { url, seen, publish } = await startBroker()
    const second = await start(url, settings)
    await second.finished
    await until(() => second.stats().delivered === 20)
    const arrived = readingsIn(seen)
    expect(arrived.map((r) => [r.stream, r.seq, r.after])).toEqual([
      ...Array.from({ length: 10 }, (_, i) => [first.stream, i + 1, i === 0 ? `${first.stream}.0` : undefined]),
      ...Array.from({ length: 10 }, (_, i) => [second.stream, i + 1, i === 0 ? `${first.stream}.10` : undefined]),
    ])
    const whole = { spooled: [[1, 10] as [number, number]], committed: [[1, 10] as [number, number]] }
    await publish(
      'sensehat/bridge/devices/pi-a',
      JSON.stringify(ledger({ [first.stream]: whole, [second.stream]: whole })),
    )
    await second.drained()
    await second.close()
    const third = await start(NOWHERE, settings)
    expect(third.stats().outbox).toBeLessThanOrEqual(1)
  })

  it('does not send in its own name what a Pi of another name has left there', async () => {
    const settings = { outbox_dir: join(temporaryDirectory(), 'outbox'), reading_interval: 0.02, max_batches: 1 }
    const first = await start(NOWHERE, settings)
    await first.finished
    await first.close()
    const renamed = { ...deps, identity: { ...identity, hostname: 'pi-b' } }
    await expect(startPublisher(publisherSections(NOWHERE, settings), renamed)).rejects.toMatchObject({
      code: 'E_CONFIG_INVALID',
      message: 'the outbox holds readings of pi-a, and this is pi-b',
    })
  })

  it('knows after a restart what the gyroscope shows of a board at rest', async () => {
    const outbox_dir = join(temporaryDirectory(), 'outbox')
    const settings = { outbox_dir, reading_interval: 0.05, orientation_rate: 50 }
    const turn = ({ gyro_x, gyro_y, gyro_z }: Reading) => Math.hypot(gyro_x ?? 9, gyro_y ?? 9, gyro_z ?? 9)
    const first = await start(NOWHERE, settings)
    let latest = 9
    first.events.on('reading:taken', (reading) => {
      latest = turn(reading)
    })
    // Less than the noise of its chip: what is left is not the offset of a part.
    await until(() => latest < 0.5 * DEGREE)
    await first.close()
    const second = await start(NOWHERE, settings)
    await until(() => second.latest() !== undefined)
    expect(turn(second.latest() as Reading)).toBeLessThan(0.5 * DEGREE)
  })

  it('says in info that what it holds is durable', async () => {
    const { url, seen } = await startBroker()
    await start(url, { outbox_dir: join(temporaryDirectory(), 'outbox'), reading_interval: 0.05 })
    await until(() => seen.some((m) => m.topic === 'sensehat/pi-a/info'))
    const info = seen.find((m) => m.topic === 'sensehat/pi-a/info')
    expect(JSON.parse(info?.payload ?? '{}')).toMatchObject({ outbox: { durable: true } })
  })

  it('ends with the reason when the disk fails', async () => {
    const { disk, failAfterStart } = failingDisk()
    const running = run(
      { outbox_dir: '/outbox', outbox_sync: 0, reading_interval: 0.02 },
      { fs: disk, log: failAfterStart },
    )
    await expect(running).rejects.toMatchObject({
      code: 'E_LOG_IO',
      message: expect.stringMatching(/^The log in \/outbox could not be written: .*\.$/),
    })
  })

  it('ends with the reason also when the disk fails while it waits for the end of the last batch', async () => {
    const { url, publish, seen } = await startBroker()
    await publish('sensehat/bridge/availability', 'online')
    const disk = new MemoryFileSystem()
    const settings = { outbox_dir: '/outbox', outbox_sync: 1_500, reading_interval: 0.02, max_batches: 1 }
    const running = runPublisher(publisherSections(url, settings), {
      ...deps,
      fs: disk,
      signal: new AbortController().signal,
    })
    const ended = expect(running).rejects.toMatchObject({ code: 'E_LOG_IO' })
    // All are taken and sent, and the last of them are not synced yet.
    await until(() => readingsIn(seen).length === 10)
    // One of the two is that of the mark of what was sent, which the publisher can do without.
    for (const calls of [1, 2]) disk.failNext('datasync', 'EIO', calls)
    await ended
  })

  it('ends with the reason also when the very last sync fails', async () => {
    const { disk, failAfterStart } = failingDisk()
    const settings = { outbox_dir: '/outbox', outbox_sync: 60_000, reading_interval: 0.02, max_batches: 1 }
    const running = run(settings, { fs: disk, log: failAfterStart })
    await expect(running).rejects.toMatchObject({ code: 'E_LOG_IO' })
  })

  it('does not start on a directory another one uses, and says which', async () => {
    const outbox_dir = join(temporaryDirectory(), 'outbox')
    await start(NOWHERE, { outbox_dir })
    await expect(run({ outbox_dir })).rejects.toMatchObject({
      code: 'E_RIVAL',
      message: expect.stringContaining(`The log in ${outbox_dir} is in use by`),
    })
  })

  it('does not start on a directory that cannot be one', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    await expect(run({ outbox_dir: file })).rejects.toMatchObject({
      code: 'E_LOG_IO',
      message: expect.stringContaining(`The directory ${file} cannot be used for a log`),
    })
  })

  it('lets go of its directory when it cannot start for another reason', async () => {
    const settings = { outbox_dir: join(temporaryDirectory(), 'outbox') }
    const mqtt = { ...mqttSettings(NOWHERE), ca_file: '/nonexistent/ca.pem' }
    await expect(startPublisher({ ...publisherSections(NOWHERE, settings), mqtt }, deps)).rejects.toThrow()
    const publisher = await start(NOWHERE, settings)
    await publisher.close()
  })
})

it('told to restart it tries until it can: nobody else would start it again', async () => {
  const { url, publish, seen } = await startBroker()
  const board = chipsOf()
  const opened: string[] = []
  const openBus = async () => {
    const fails = opened.length === 1 || opened.length === 2
    opened.push(fails ? 'fails' : 'opens')
    if (fails) throw new SnowhatError('E_NO_SENSE_HAT', 'the bus hangs')
    return board.open()
  }
  const stop = new AbortController()
  const settings = publisherSections(url, { simulate: false, reading_interval: 0.05 })
  const told: string[] = []
  const notify = {
    ready: (look: () => Wellbeing) => told.push(`ready, ${look().stuck ?? 'not stuck'}`),
    stopping: () => told.push('stopping'),
    close: () => Promise.resolve(),
  }
  const running = runPublisher(settings, { ...deps, openBus, signal: stop.signal, notify })
  const streams = () => new Set(readingsIn(seen).map(({ stream }) => stream))
  await until(() => streams().size === 1)
  await publish('sensehat/pi-a/set/restart', 'PRESS')
  await until(() => streams().size === 2)
  expect(opened).toEqual(['opens', 'fails', 'fails', 'opens'])
  stop.abort()
  expect(await running).toBe(true)
  // Whoever watches it sees one program.
  expect(told).toEqual(['ready, not stuck', 'stopping'])
})
