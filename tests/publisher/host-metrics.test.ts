import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openHostMetrics } from '../../publisher/host-metrics.ts'
import {
  cpuPercent,
  diskUsedMib,
  parseCpuTimes,
  parseMemoryPercent,
  parseThrottled,
  parseUptime,
  parseWirelessDbm,
} from '../../publisher/proc-parsers.ts'
import { ManualClock } from '../support/manual-clock.ts'

const STAT_1 = 'cpu  1000 0 500 8000 500 0 0 0 70 0\ncpu0 1 2 3 4\n'
const STAT_2 = 'cpu  1100 0 550 8600 550 0 50 0 90 0\ncpu0 1 2 3 4\n'
const MEMINFO = 'MemTotal:        3884096 kB\nMemFree:          100000 kB\nMemAvailable:    2912456 kB\n'
const WIRELESS = [
  'Inter-| sta-|   Quality        |   Discarded packets',
  ' face | tus | link level noise |  nwid  crypt',
  ' wlan0: 0000   54.  -56.  -256        0      0\n',
].join('\n')

describe('what Linux prints is read as', () => {
  it('processor load without counting guests twice', () => {
    const [before, after] = [parseCpuTimes(STAT_1), parseCpuTimes(STAT_2)]
    expect(before && after && cpuPercent(before, after)).toBeCloseTo(23.5294, 4)
  })
  it('no load when no time has passed, and no negative one when iowait ran backwards', () => {
    expect(cpuPercent({ total: 5, idle: 3 }, { total: 5, idle: 3 })).toBeNull()
    expect(cpuPercent({ total: 5, idle: 3 }, { total: 9, idle: 2 })).toBe(100)
  })
  it('memory that programs cannot have any more', () => {
    expect(parseMemoryPercent(MEMINFO)).toBeCloseTo(25.0159, 3)
    expect(parseMemoryPercent('')).toBeNull()
  })
  it('used disk in MiB', () => {
    expect(diskUsedMib({ blocks: 7_500_000, bfree: 3_000_000, bsize: 4096 })).toBeCloseTo(17578.125, 3)
  })
  it('uptime in whole seconds', () => {
    expect(parseUptime('350735.47 234388.90\n')).toBe(350735)
    expect(parseUptime('')).toBeNull()
  })
  it('signal strength, also where a driver counts from 0 to 255', () => {
    expect(parseWirelessDbm(WIRELESS)).toBe(-56)
    expect(parseWirelessDbm('wlan0: 0000   54.  200.  0')).toBe(-56)
    expect(parseWirelessDbm('Inter-| sta-|\n face | tus |\n')).toBeNull()
  })
  it('throttling bits', () => {
    expect(parseThrottled('throttled=0x50005\n')).toBe(0x50005)
    expect(parseThrottled('VCHI initialization failed')).toBeNull()
  })
})

async function machine(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'snowhat-host-'))
  onTestFinished(() => rm(root, { recursive: true }))
  for (const [path, text] of Object.entries(files)) await put(root, path, text)
  return root
}

async function put(root: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}

describe('host metrics', () => {
  it('tell what the machine has, and null for what it has not', async () => {
    const root = await machine({ 'proc/stat': STAT_1, 'proc/meminfo': MEMINFO })
    const clock = new ManualClock()
    const host = await openHostMetrics({ root }, clock)
    await put(root, 'proc/stat', STAT_2)
    const values = await host.read()
    expect(values.cpu_percent).toBeCloseTo(23.5294, 4)
    expect(values).toMatchObject({ cputempc: null, wifi_rssi_dbm: null, throttled: null, uptime_s: null })
    expect(host.keys).toEqual(['cpu_percent', 'memory_percent', 'disk_usage_mb'])
  })

  it('take a temperature only from the zone of the processor', async () => {
    const zone = 'sys/class/thermal/thermal_zone0'
    const battery = await machine({ [`${zone}/type`]: 'battery\n', [`${zone}/temp`]: '31000\n' })
    const cpu = await machine({ [`${zone}/type`]: 'cpu-thermal\n', [`${zone}/temp`]: '48312\n' })
    const clock = new ManualClock()
    expect((await (await openHostMetrics({ root: battery }, clock)).read()).cputempc).toBeNull()
    expect((await (await openHostMetrics({ root: cpu }, clock)).read()).cputempc).toBe(48.312)
  })

  it('ask the firmware at most once a minute and never wait for it', async () => {
    const root = await machine({})
    const clock = new ManualClock()
    let asked = 0
    const throttled = async () => {
      asked++
      return 'throttled=0x50000'
    }
    const host = await openHostMetrics({ root, throttled }, clock)
    for (let i = 0; i < 50; i++) {
      await clock.advance(1_000)
      await host.read()
    }
    expect(asked).toBe(1)
    expect((await host.read()).throttled).toBe(0x50000)
    await clock.advance(15_000)
    await host.read()
    expect(asked).toBe(2)
  })
})
