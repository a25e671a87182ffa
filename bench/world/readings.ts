import { createReadingMaker } from '../../publisher/measure.ts'
import { openSimulator } from '../../publisher/sensors/simulator.ts'
import { silentLog } from '../../src/log.ts'
import { encodeReadings, timesOf } from '../../src/reading.ts'

/** One simulated Pi, whose readings cost next to nothing to make. */
export interface Device {
  readonly hostname: string
  /** The next reading of its stream, as its publisher would send it. */
  next(epochMs: number): string
}

/** Different measurements in turn: alike as those of one board are, and not the same, which would compress too well. */
const VARIANTS = 8
const APART_MS = 1_000

/** Boards that are simulated: a larger fleet has some of each. */
const BOARDS = 1_000
const boards = new Map<number, Promise<readonly string[]>>()

export async function createDevice(index: number, stream: string): Promise<Device> {
  const hostname = `pi-${String(index).padStart(4, '0')}`
  const board = index % BOARDS
  const measuring = boards.get(board) ?? measure(board, stream)
  boards.set(board, measuring)
  const measured = await measuring
  let seq = 0
  return {
    hostname,
    next: (epochMs) => {
      const { compact, ts, datetimestamp, systemtime } = timesOf(epochMs)
      const uuid = `${hostname}-${stream}-${++seq}`
      return `{"uuid":"${uuid}","rowid":"${compact}_${uuid}","hostname":"${hostname}","stream":"${stream}","seq":${seq},"ts":${ts},"datetimestamp":"${datetimestamp}","systemtime":"${systemtime}",${measured[seq % VARIANTS]}`
    },
  }
}

/** What one board measures, as a publisher writes it, without what names a reading. */
async function measure(index: number, stream: string): Promise<readonly string[]> {
  let now = 1_800_000_000_000 + index * 7
  const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve(), after: () => () => undefined }
  const options = { seed: index + 1, board: 'v1', environment: 'indoor', altitude_m: 0 } as const
  const sensors = await openSimulator(options, { clock, log: silentLog() })
  const host = {
    cpu_percent: 3 + (index % 20),
    memory_percent: 31.4,
    disk_usage_mb: 6_811.2 + index,
    cputempc: 48.7,
    uptime_s: 86_400 + index,
    wifi_rssi_dbm: -61,
    throttled: 0,
  }
  const address = [index >> 8, index & 255]
  const maker = createReadingMaker(
    {
      hostname: 'pi',
      ipaddress: `10.0.${address.join('.')}`,
      macaddress: `b8:27:eb:00:${address.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`,
      serial: `00000000${index.toString(16).padStart(8, '0')}`,
      model: 'Raspberry Pi 4 Model B Rev 1.4',
    },
    stream,
    true,
    {
      log: silentLog(),
      sensors,
      host: { keys: [], read: async () => ({ ...host, uptime_s: Math.floor(now / 1000) % 1_000_000 }) },
    },
  )
  const measured: string[] = []
  for (let i = 0; i < VARIANTS; i++) {
    const {
      uuid,
      rowid,
      hostname: _,
      stream: __,
      seq,
      ts,
      datetimestamp,
      systemtime,
      ...rest
    } = await maker.take({ epochMs: now, clock: 'synced' })
    measured.push(encodeReadings([rest as never]).slice(1))
    now += APART_MS
  }
  return measured
}
