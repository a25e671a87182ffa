import type { Clock } from '../src/clock.ts'
import type { FileSystem } from '../src/durable-log/filesystem.ts'
import type { Log } from '../src/log.ts'
import { randomId } from '../src/random-id.ts'
import { readParameters } from './classify/parameters.ts'
import type { PhoneSettings } from './config.ts'
import { type SavedSeen, Seen } from './intake/seen.ts'
import { Journal } from './journal/journal.ts'
import { Pump, type PumpState } from './pump/pump.ts'
import { type PhoneSnapshot, readPhoneSnapshot } from './pump/snapshot.ts'
import { Recognition } from './recognition/recognition.ts'

/** What a start finds on the disk, put together. */
export interface Stores {
  readonly journal: Journal
  readonly recognition: Recognition
  readonly pump: Pump
  readonly seen: Seen
  /** `undefined` at the first start. */
  readonly snapshot: PhoneSnapshot | undefined
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
  const { dir, log_max_bytes, raw, max_devices, classifier, parameters_file } = settings
  const parameters = await readParameters(parameters_file === '' ? undefined : parameters_file)
  // Where the classifier is unknown it has to be said before anything is opened.
  const options = { classifier, windows: { maxDevices: max_devices } }
  const fresh = Recognition.begin(options, parameters)
  const journal = await Journal.open({ dir, maxBytes: log_max_bytes }, deps)
  try {
    const snapshot = await readPhoneSnapshot(deps.fs, dir, deps.log)
    const restored = snapshot && Recognition.restore(options, parameters, snapshot.recogniser)
    if (snapshot !== undefined && restored === undefined)
      deps.log.warn('windows that were open are lost: the snapshot is of another version, or of other settings')
    const recognition = restored ?? fresh
    const state = stateOf(snapshot, journal, deps.newId ?? randomId)
    const pump = new Pump({ raw, maxDevices: max_devices }, recognition, state)
    return { journal, recognition, pump, snapshot, ...(await lookAhead(journal, pump, snapshot?.seen)) }
  } catch (error) {
    await journal.close()
    throw error
  }
}

function stateOf(snapshot: PhoneSnapshot | undefined, journal: Journal, newId: (length: number) => string): PumpState {
  if (snapshot === undefined) return { journal: newId(NAME_LENGTH), position: journal.firstSequence - 1, phones: [] }
  const { pump } = snapshot
  // Somebody has deleted the journal: its numbers begin anew.
  if (pump.position > journal.durableSequence) return { ...pump, position: journal.firstSequence - 1 }
  return pump
}

/** What the records say that are still to become rows: no message of them may be taken again. */
async function lookAhead(journal: Journal, pump: Pump, saved: SavedSeen | undefined) {
  const seen = new Seen(saved)
  const open = new Map<string, { deviceId: string; sessionId: string }>()
  const keyOf = (deviceId: string, sessionId: string) => JSON.stringify([deviceId, sessionId])
  for (const phone of pump.phones)
    for (const sessionId of phone.open)
      open.set(keyOf(phone.deviceId, sessionId), { deviceId: phone.deviceId, sessionId })
  for await (const { record } of journal.read(pump.position + 1)) {
    const { deviceId, sessionId } = record
    if (record.kind === 'message') {
      seen.add(record, record.hash)
      open.set(keyOf(deviceId, sessionId), { deviceId, sessionId })
    } else open.delete(keyOf(deviceId, sessionId))
  }
  return { seen, open: [...open.values()] }
}
