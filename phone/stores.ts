import type { Clock } from '../src/clock.ts'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import { messageOf, SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import { randomId } from '../src/random-id.ts'
import { readParameters } from './classify/parameters.ts'
import type { PhoneSettings } from './config.ts'
import type { Made } from './delivery/delivery.ts'
import { type SavedSeen, Seen } from './intake/seen.ts'
import { Journal } from './journal/journal.ts'
import { type Making, sameMaking } from './pump/making.ts'
import { PhoneState } from './pump/phone-state.ts'
import { madeOf, Pump, type PumpState } from './pump/pump.ts'
import { type PhoneSnapshot, readPhoneSnapshot } from './pump/snapshot.ts'
import { Recognition } from './recognition/recognition.ts'

/** What a start finds on the disk, put together. */
export interface Stores {
  readonly journal: Journal
  readonly recognition: Recognition
  readonly pump: Pump
  readonly seen: Seen
  /** What the last snapshot says of rows; `undefined` at the first start. */
  readonly rows: (Pick<PhoneSnapshot, 'rows' | 'bridgeSeen'> & { readonly made: readonly Made[] }) | undefined
  /** Names of rows have begun anew: they have to be written down before a row bears one. */
  readonly isNamedAnew: boolean
  /** Recordings whose end has not been written down. */
  readonly open: readonly { readonly deviceId: string; readonly sessionId: string }[]
}

export interface StoresDeps {
  readonly clock: Clock
  readonly log: Log
  readonly fs: FileSystem
  readonly newId?: (length: number) => string
}

/** Length of the journal's name. */
const NAME_LENGTH = 16

export async function openStores(settings: PhoneSettings, deps: StoresDeps): Promise<Stores> {
  const { dir, log_max_bytes: maxBytes, body_max_bytes: messageBytes, raw, max_devices, classifier } = settings
  const { clock, fs, log, newId = randomId } = deps
  const parameters = await readParameters(settings.parameters_file === '' ? undefined : settings.parameters_file)
  const wanted: Making = { raw, maxDevices: max_devices, classifier, parameters }
  // Where the classifier is unknown it has to be said before anything is opened.
  begin(wanted)
  const journal = await Journal.open({ dir, maxBytes, messageBytes }, deps)
  try {
    const snapshot = await readPhoneSnapshot(fs, dir, log)
    const making = snapshot?.pump.making ?? wanted
    const restored = snapshot && Recognition.restore(optionsOf(making), making.parameters, snapshot.recogniser)
    const recognition = restored ?? begin(making)
    const isWhole =
      restored !== undefined && snapshot !== undefined && snapshot.pump.position <= journal.durableSequence
    if (snapshot !== undefined && !isWhole)
      log.warn(
        { windows: restored !== undefined, journal: journal.durableSequence, snapshot: snapshot.pump.position },
        'what the disk holds is not whole, or is of another version: rows go on under new numbers',
      )
    const state = isWhole ? snapshot.pump : beginAnew(snapshot?.pump, making, journal, newId(NAME_LENGTH))
    const pump = new Pump(recognition, state)
    const { last, ...ahead } = await lookAhead(journal, pump, snapshot?.seen)
    if (!sameMaking(last, wanted)) await change(journal, wanted, { clock, log })
    const rows = snapshot && { ...snapshot, made: madeOf(snapshot.pump) }
    return { journal, recognition, pump, rows, isNamedAnew: !isWhole, ...ahead }
  } catch (error) {
    await journal.close()
    throw error
  }
}

function begin(making: Making): Recognition {
  return Recognition.begin(optionsOf(making), making.parameters)
}

function optionsOf({ classifier, maxDevices }: Making) {
  return { classifier, windows: { maxDevices } }
}

/**
 * Numbers of rows begin anew where they would not be made again as they were: rows of before, which are in the table, would be
 * taken for them. What the journal holds beyond a snapshot is made into rows, and without a snapshot all of it.
 */
function beginAnew(before: PumpState | undefined, making: Making, journal: Journal, name: string): PumpState {
  if (before === undefined) return { journal: name, position: journal.firstSequence - 1, making, phones: [] }
  const position = Math.min(before.position, journal.durableSequence)
  const phones = before.phones.map((phone) => PhoneState.renamed(phone, name, position))
  return { journal: name, position, making, phones }
}

async function change(journal: Journal, making: Making, { clock, log }: Pick<StoresDeps, 'clock' | 'log'>) {
  try {
    await journal.append({ kind: 'settings', at: clock.now(), making })
  } catch (error) {
    if (!(error instanceof SnowhatError && error.code === 'E_LOG_FULL')) throw error
    log.warn({ reason: messageOf(error) }, 'changed settings of the rows hold from the next start on')
  }
}

/** What the records say that are still to become rows: no message of them may be taken again. */
async function lookAhead(journal: Journal, pump: Pump, saved: SavedSeen | undefined) {
  const seen = new Seen(saved)
  const open = new Map<string, { deviceId: string; sessionId: string }>()
  let last = pump.state().making
  const keyOf = (deviceId: string, sessionId: string) => JSON.stringify([deviceId, sessionId])
  for (const phone of pump.phones)
    for (const sessionId of phone.open)
      open.set(keyOf(phone.deviceId, sessionId), { deviceId: phone.deviceId, sessionId })
  for await (const { record } of journal.read(pump.position + 1)) {
    if (record.kind === 'settings') {
      last = record.making
      continue
    }
    const { deviceId, sessionId } = record
    if (record.kind === 'message') {
      seen.add(record, record.hash)
      open.set(keyOf(deviceId, sessionId), { deviceId, sessionId })
    } else open.delete(keyOf(deviceId, sessionId))
  }
  return { seen, last, open: [...open.values()] }
}
