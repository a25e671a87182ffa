import { renameOutbox } from '../publisher/outbox-rename.ts'
import { type OutboxStatus, outboxStatus } from '../publisher/outbox-status.ts'
import { counted } from '../src/counted.ts'
import { SnowhatError } from '../src/errors.ts'
import { didYouMean } from '../src/nearest.ts'
import type { Invocation } from './command.ts'

const VERBS = ['status', 'rename']

/** `snowhat publisher outbox …`: looks at the outbox on disk, or changes it, without a broker and without a publisher. */
export async function runOutboxCommand(words: readonly string[], invocation: Invocation): Promise<number> {
  const [verb = '', ...rest] = words
  if (verb === 'status' && rest.length === 0) return status(invocation)
  if (verb === 'rename' && rest[0] !== undefined && rest.length === 1) return rename(rest[0], invocation)
  if (verb === 'rename')
    throw new SnowhatError('E_USAGE', 'snowhat publisher outbox rename wants one name', {
      hint: 'the new name of the Pi: snowhat publisher outbox rename pi-attic',
    })
  throw new SnowhatError('E_USAGE', `there is no snowhat publisher outbox ${words.join(' ')}`.trimEnd(), {
    hint: didYouMean(verb, VERBS) ?? `there are ${VERBS.join(' and ')}`,
  })
}

async function status({ settings, flags, print }: Invocation): Promise<number> {
  const found = await outboxStatus(directoryOf(settings.publisher.outbox_dir))
  print(flags.json === true ? JSON.stringify(found) : describe(found))
  return 0
}

async function rename(to: string, { settings, flags, clock, log, print }: Invocation): Promise<number> {
  const exportTo = typeof flags.export === 'string' ? flags.export : undefined
  const dir = directoryOf(settings.publisher.outbox_dir)
  const result = await renameOutbox(dir, { to, exportTo }, { clock, log })
  if (flags.json === true) print(JSON.stringify(result))
  else {
    const { renamed, exported, files, from } = result
    const names = from.join(' and ')
    if (renamed === 0 && exported === 0) print(`the outbox holds no readings of another name than ${to}`)
    if (renamed > 0) print(`${counted(renamed, 'reading')} of ${names}, never sent, will go out as ${to}`)
    for (const { hostname, file, readings } of files)
      print(
        `${counted(readings, 'reading')} of ${hostname} that may have been sent are in ${file} now; publish them under that name, for example:\n` +
          `  mosquitto_pub -h BROKER -q 1 -t ${settings.mqtt.base_topic}/${hostname}/readings -l < ${file}`,
      )
  }
  return 0
}

function directoryOf(dir: string): string {
  if (dir !== '') return dir
  throw new SnowhatError('E_USAGE', 'the outbox is in memory: nobody but its publisher can look at it', {
    hint: 'name the directory of an outbox on disk: --outbox-dir, or SNOWHAT_PUBLISHER_OUTBOX_DIR',
  })
}

function describe(found: OutboxStatus): string {
  const { running, readings, oldest, newest, unsynced, segments, bridge_seen, damaged } = found
  const streams = found.streams.map((one) => `${one.stream} (${one.readings})`)
  const lines = {
    outbox: found.dir,
    publisher: running === null ? 'none runs on it' : `${running} runs on it; this may be a minute old`,
    readings: readings === 0 ? 'none' : `${readings}, from ${oldest} to ${newest}`,
    of: found.hostnames.join(', '),
    streams: streams.join(', '),
    'never sent': readings === 0 ? '' : String(found.never_sent),
    unsynced: unsynced === 0 ? '' : `${unsynced} taken while the clock was not known to be set`,
    'on disk': `${found.bytes} bytes in ${counted(segments, 'file')}`,
    bridge: bridge_seen === null ? 'not known' : bridge_seen ? 'has been seen' : 'never seen',
    damaged: damaged.length === 0 ? 'nothing' : damaged.join(', '),
  }
  return Object.entries(lines)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name.padEnd(14)}${value}`)
    .join('\n')
}
