import { SnowhatError } from '../../src/errors.ts'
import { Lifecycle } from '../../src/lifecycle.ts'
import { createLog } from '../../src/log.ts'
import { aborted } from '../../src/signals.ts'
import type { Invocation } from '../command.ts'
import { type Display, openDisplay } from './display.ts'
import { Observer } from './observer.ts'
import { type Parts, startParts } from './parts.ts'
import { holds, type Tally, tally } from './tally.ts'

const FRAME_MS = 500
/** All of the end together stays under ten seconds. */
const ARRIVE_MS = 3_000
const DRAIN_MS = 5_000
const LOOK_MS = 20

export async function runDemo(invocation: Invocation): Promise<number> {
  const { settings, flags, clock, print } = invocation
  if (settings.demo.pis < 1) throw new SnowhatError('E_USAGE', '--pis must be more than 0')
  if (settings.demo.rate <= 0) throw new SnowhatError('E_USAGE', '--rate must be more than 0')
  const display = openDisplay(process.stderr)
  const life = new Lifecycle()
  const started = clock.monotonic()
  try {
    const log = createLog('demo', settings.log, display.log)
    const parts = await startParts(settings, { ...invocation, log }, life)
    const observer = new Observer(settings.demo, parts, clock, started)
    const frames = life.own('display', startFrames(observer, display, invocation), (f) => f.close())
    await untilEnd(parts, invocation)
    observer.phase = 'draining'
    for (const publisher of parts.fleet) publisher.stopSampling()
    await allArrived(parts, invocation)
    await parts.bridge.drain(DRAIN_MS)
    await frames.close()
    const result = await tally(parts.fleet, parts.bridge, parts.emulator, (clock.monotonic() - started) / 1000)
    await life.close()
    print(flags.json === true ? JSON.stringify(result) : words(result, settings.demo.data))
    return holds(result) ? 0 : 1
  } finally {
    await life.close()
  }
}

/** Until the time is over, every Pi has its batches, or someone says stop. */
async function untilEnd({ bridge, fleet }: Parts, { settings, clock, stop }: Invocation): Promise<void> {
  const ends: Promise<unknown>[] = [aborted(stop), bridge.ended]
  if (settings.demo.for > 0) ends.push(clock.sleep(settings.demo.for, stop).catch(() => undefined))
  const limit = settings.demo.max_batches * settings.batch.max_rows
  if (limit > 0)
    ends.push(
      Promise.all(
        fleet.map(
          (publisher) =>
            new Promise<void>((resolve) =>
              publisher.events.on('reading:taken', () => {
                if (publisher.stats().taken < limit) return
                publisher.stopSampling()
                resolve()
              }),
            ),
        ),
      ),
    )
  await Promise.race(ends)
}

/** The broker acknowledges before it forwards: wait for the bridge, not for the acknowledgements. */
async function allArrived({ bridge, fleet }: Parts, { clock }: Invocation): Promise<void> {
  const until = clock.monotonic() + ARRIVE_MS
  const taken = () => fleet.reduce((sum, publisher) => sum + publisher.stats().taken, 0)
  while (bridge.totals().received < taken() && clock.monotonic() < until) await clock.sleep(LOOK_MS)
}

function startFrames(observer: Observer, display: Display, { clock }: Invocation): { close: () => Promise<void> } {
  const stop = new AbortController()
  const running = (async () => {
    while (!stop.signal.aborted) {
      display.show(await observer.view())
      await clock.sleep(FRAME_MS, stop.signal).catch(() => undefined)
    }
    display.show(await observer.view())
  })()
  return {
    close: () => {
      observer.phase = 'stopped'
      stop.abort()
      return running
    },
  }
}

function words(result: Tally, data: string): string {
  const verdict = holds(result)
    ? 'every reading is in the table, once'
    : `NOT as it should be: ${result.missing} missing, ${result.duplicates} twice, ${result.rejected} rejected`
  return `\n${result.published} readings published, ${result.rows} rows counted in ${data}/warehouse.duckdb: ${verdict}.`
}
