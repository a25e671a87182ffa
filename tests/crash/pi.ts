import { openSync, writeSync } from 'node:fs'

/*
 * A Pi's program with a witness: the built publisher, and a journal that gets each reading's identity before the outbox
 * gets the reading. `writeSync` is with the operating system when it returns, so a kill takes nothing of it.
 *
 *   node --import tsx tests/crash/pi.ts JOURNAL      the settings come from the environment, as for `snowhat publisher`
 *
 * SIGTERM stops the sampling; the program ends when every reading is in the table.
 */

/** The types are the sources', the code is what users run. */
const built = (module: string) => import(new URL(`../../dist/${module}.js`, import.meta.url).href)
const { startPublisher } = (await built('publisher/publisher')) as typeof import('../../publisher/publisher.ts')
const { allSections } = (await built('cli/sections')) as typeof import('../../cli/sections.ts')
const { loadSettings } = (await built('src/config')) as typeof import('../../src/config.ts')
const { systemClock } = (await built('src/clock')) as typeof import('../../src/clock.ts')
const { createLog } = (await built('src/log')) as typeof import('../../src/log.ts')
const { stopOnSignals, aborted } = (await built('src/signals')) as typeof import('../../src/signals.ts')

const journal = openSync(process.argv[2] as string, 'a')
const { stop } = stopOnSignals()
const settings = await loadSettings(allSections, { env: process.env, args: new Map() })
const log = createLog('publisher', settings.log)
const publisher = await startPublisher(settings, {
  clock: systemClock(),
  log,
  random: Math.random,
})
publisher.events.on('reading:taken', ({ uuid }) => {
  writeSync(journal, `${JSON.stringify({ uuid, at: Date.now() })}\n`)
})
await Promise.race([aborted(stop), publisher.failed])
publisher.stopSampling()
await Promise.race([publisher.drained(), publisher.failed])
// Nothing of this stream was in hand when it ended.
writeSync(journal, `${JSON.stringify({ end: `${publisher.hostname}-${publisher.stream}` })}\n`)
log.info(publisher.stats(), 'all readings are in the table')
await publisher.close()
process.exit(0)
