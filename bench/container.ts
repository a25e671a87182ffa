import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort } from '../tests/support/ports.ts'
import { inDirectory } from './world/directory.ts'
import { startFleet } from './world/fleet.ts'
import { startMosquitto } from './world/mosquitto.ts'
import { conclude, median, megabytes, round, say } from './world/report.ts'
import { startSink } from './world/sink.ts'

/**
 * What the bridge takes of a machine's memory as a container, confined as in compose.yaml, with a fleet of a household's or a
 * small firm's size: its spool on a volume, rows on their way into a Snowpipe that only counts. Resident is what the kernel counts
 * for the container's own memory and for the parts of programs and libraries it has mapped; the page cache of the spool, which it
 * gives back when somebody needs it, is not in it, though `docker stats` counts some of that.
 *
 *   npm run bench:container [-- --devices 100 --per-second 1 --for 300]
 */
const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '100' },
    'per-second': { type: 'string', default: '1' },
    for: { type: 'string', default: '300' },
    image: { type: 'string', default: 'snowhat-bench' },
  },
})
const [devices, perDevice, seconds] = [Number(values.devices), Number(values['per-second']), Number(values.for)]
const MOST_MB = 120

interface Memory {
  readonly resident: number
  /** Without what is mapped from files. */
  readonly ofItsOwn: number
}

const LOOK_EVERY_MS = 1_000

const docker = (...args: readonly string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim()

execFileSync('docker', ['build', '-q', '-f', 'bridge/Dockerfile', '--target', 'production', '-t', values.image, '.'], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
const found = await inDirectory(async (dir) => {
  const [broker, sink, page] = [await startMosquitto(dir), await startSink(), await freePort()]
  const confined = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--memory', '512m', '--network', 'host']
  const settings = { MQTT_URL: broker.url, SNOWFLAKE_URL: sink.url, HTTP_HOST: '127.0.0.1', HTTP_PORT: page }
  const environment = Object.entries(settings).flatMap(([name, value]) => ['-e', `SNOWHAT_${name}=${value}`])
  const id = docker('run', '-d', '--rm', ...confined, '-v', '/spool', ...environment, values.image)
  try {
    const fleet = await startFleet(broker.url, devices)
    const health = async () => (await fetch(`http://127.0.0.1:${page}/healthz`).catch(() => undefined))?.ok === true
    while (!(await health())) await sleep(100)
    await fleet.pace(devices * perDevice)
    const looks: Memory[] = []
    for (const until = performance.now() + seconds * 1_000; performance.now() < until; await sleep(LOOK_EVERY_MS))
      looks.push(memoryOf(id))
    const { acknowledged } = await fleet.pace(0)
    await fleet.stop()
    say(`${acknowledged} readings in ${seconds} s`)
    return { looks, acknowledged }
  } finally {
    docker('stop', '-t', '30', id)
    await sink.stop()
    await broker.stop()
  }
})

const resident = found.looks.map((look) => look.resident)
const peak = Math.max(...resident)
conclude(
  'container',
  [{ what: 'resident memory of the bridge as a container, MB at most', value: megabytes(peak), atMost: MOST_MB }],
  {
    devices,
    per_second: perDevice,
    seconds,
    acknowledged: found.acknowledged,
    median_mb: megabytes(median(resident)),
    own_mb: megabytes(Math.max(...found.looks.map(({ ofItsOwn }) => ofItsOwn))),
    image_mb: round(Number(docker('image', 'inspect', '-f', '{{.Size}}', values.image)) / 1e6, 1),
  },
)

/** Bytes, from its control group: version 2 of them, or 1. */
function memoryOf(container: string): Memory {
  const pid = docker('inspect', '-f', '{{.State.Pid}}', container)
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
  const first = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1]
  const path = first === undefined ? `/sys/fs/cgroup${/^0::(.*)$/m.exec(groups)?.[1]}` : `/sys/fs/cgroup/memory${first}`
  const stat = readFileSync(`${path}/memory.stat`, 'utf8')
  const figure = (...names: readonly string[]) => {
    for (const name of names) {
      const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1]
      if (found !== undefined) return Number(found)
    }
    throw new Error(`${path}/memory.stat has no ${names.join(' or ')}`)
  }
  return {
    resident: figure('total_rss', 'anon') + figure('total_mapped_file', 'file_mapped'),
    ofItsOwn: figure('total_rss', 'anon'),
  }
}
