import { StreamSets } from '../../src/ledger.ts'
import type { DeviceLog, Forgotten } from './device-log.ts'

/*
 * A device that is taken out of use leaves broker, page and Home Assistant. What is known to be in the table stays with
 * the spool, a few hundred bytes: should the device come back with readings that were committed and that it has not heard
 * about, they are known, and the ledger tells it so. Its channel likewise goes on where it was.
 */

/**
 * Gives up the rows that wait, and lists the device no longer. The next message of it takes it into use again.
 * `written`: the last records of its rows in either log; in records up to those what is given up is void.
 */
export function retire(device: DeviceLog, written: Omit<Forgotten, 'readings'>): void {
  const readings = device.giveUpRows()
  if (device.forgotten !== null) readings.addAll(device.forgotten.readings)
  if (readings.streams().length > 0) device.forgotten = { ...written, readings }
  device.retired = true
  device.opened = false
  device.ledgerRead = false
  device.decision = null
  device.suspect = null
  device.given = null
  // Its word lies on the broker no longer, and what it told of the table must not be lost with it.
  if (device.said !== null) keepCommitted(device, StreamSets.from(device.said, 'committed'))
  device.said = null
}

/** Its channel was dropped: the next one starts from nothing. The table still has the rows. */
export function forgetChannel(device: DeviceLog): void {
  const { predecessor } = device
  if (predecessor !== null && !device.confirmed) keepCommitted(device, StreamSets.from(predecessor, 'committed'))
  device.predecessor = null
  device.confirmed = false
  device.resolved = false
  device.trimmed = null
  device.takenOverAt = null
  device.incarnation = null
  device.agreed = { parsed: 0, errors: 0 }
  device.lastCommitAt = null
  device.pipe = null
}

function keepCommitted(device: DeviceLog, known: StreamSets): void {
  device.committed.addAll(known)
  device.received.addAll(known)
}
