import { freePort } from '../tests/support/ports.ts'
import { inDirectory } from './world/directory.ts'
import { startSnowhat } from './world/program.ts'
import { conclude, median, round, say, table } from './world/report.ts'

/*
 * How soon somebody who types `snowhat demo` has a row in the table: from the start of the process until the emulator
 * says that one is in its table.
 */

const ROUNDS = 5
const LOOK_EVERY_MS = 25

async function rowsAt(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/emulator/stats`).catch(() => undefined)
  if (response?.ok !== true) return 0
  return ((await response.json()) as { readonly rowsInserted: number }).rowsInserted
}

async function firstRow(data: string): Promise<number> {
  const [mqtt, snowpipe, page] = [await freePort(), await freePort(), await freePort()]
  const ports = ['--mqtt-port', mqtt, '--snowpipe-port', snowpipe, '--port', page].map(String)
  const started = performance.now()
  const demo = startSnowhat(['demo', '--data', data, '--json', ...ports], {})
  while ((await rowsAt(snowpipe)) === 0) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  const seconds = (performance.now() - started) / 1000
  await demo.kill('SIGKILL')
  return seconds
}

const seconds: number[] = []
for (let start = 1; start <= ROUNDS; start++) {
  seconds.push(await inDirectory(firstRow))
  say(`start ${start} of ${ROUNDS}: first row after ${round(seconds.at(-1) ?? 0)} s`)
}
const [fastest, middle, slowest] = [Math.min(...seconds), median(seconds), Math.max(...seconds)]
table([{ fastest: round(fastest), median: round(middle), slowest: round(slowest) }])
conclude('first-row', [{ what: 'seconds to the first row', value: middle, atMost: 5 }], {
  seconds: seconds.map((s) => round(s)),
})
