import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { inDirectory } from './world/directory.ts'
import { startFleet } from './world/fleet.ts'
import { startMosquitto } from './world/mosquitto.ts'
import { freePort } from './world/ports.ts'
import { conclude, median, megabytes, round, say } from './world/report.ts'
import { startSink } from './world/sink.ts'

/**
 * What the bridge takes of a machine's memory as a container, confined as in compose.yaml, with a fleet of a household's or a
 * small firm's size: its spool on a volume, rows on their way into a Snowpipe that only counts. Memory is what the kernel counts
 * for the container without the page cache of its files, which it gives back when somebody needs it (`docker stats` says the same).
 *
 *   npm run bench:container [-- --devices 100 --per-second 2 --for 300]
 */
const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '100' },
    'per-second': { type: 'string', default: '2' },
    for: { type: 'string', default: '300' },
    image: { type: 'string', default: 'snowhat-bench' },
  },
})
const [devices, perDevice, seconds] = [Number(values.devices), Number(values['per-second']), Number(values.for)]
const MOST_MB = 120
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
    const looks: number[] = []
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

const peak = Math.max(...found.looks)
conclude(
  'container',
  [{ what: 'memory of the bridge as a container, MB at most', value: megabytes(peak), atMost: MOST_MB }],
  {
    devices,
    per_second: perDevice,
    seconds,
    acknowledged: found.acknowledged,
    median_mb: megabytes(median(found.looks)),
    image_mb: round(Number(docker('image', 'inspect', '-f', '{{.Size}}', values.image)) / 1e6, 1),
  },
)

/** Bytes, from its control group: version 2 of them, or 1. */
function memoryOf(container: string): number {
  const pid = docker('inspect', '-f', '{{.State.Pid}}', container)
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
  const first = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1]
  const path = first === undefined ? `/sys/fs/cgroup${/^0::(.*)$/m.exec(groups)?.[1]}` : `/sys/fs/cgroup/memory${first}`
  const current = ['memory.current', 'memory.usage_in_bytes'].map((name) => `${path}/${name}`).find(existsSync)
  if (current === undefined) throw new Error(`no memory figures below ${path}`)
  const cache = /^(?:total_)?inactive_file (\d+)$/m.exec(readFileSync(`${path}/memory.stat`, 'utf8'))?.[1] ?? '0'
  return Number(readFileSync(current, 'utf8')) - Number(cache)
}
