import type { SnowflakeSettings } from '../../bridge/config.ts'
import { createIdentity } from '../../bridge/snowpipe/credentials.ts'
import { runStatement } from '../../bridge/snowpipe/sql.ts'
import type { Clock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import { describeUser, SLOTS, type Slot } from './alter-user.ts'

/** The fingerprints in a user's two places for public keys; or why they are not known. */
export type Slots =
  | { readonly known: true; readonly fingerprints: Readonly<Record<Slot, string | null>> }
  | { readonly known: false; readonly reason: string }

/** Asks `DESC USER` over the SQL REST API. A user may not be allowed to, and that is no error. */
export async function askSlots(settings: SnowflakeSettings, deps: { clock: Clock; log: Log }): Promise<Slots> {
  try {
    const identity = createIdentity(settings, deps.clock, deps.log)
    const { columns, rows } = await runStatement(settings, describeUser(settings.user), deps.clock, identity)
    const column = (name: string) => columns.findIndex((one) => one.name.toLowerCase() === name)
    const [property, value] = [column('property'), column('value')]
    return slotsIn(rows.map((row) => [String(row[property]), row[value] ?? null]))
  } catch (error) {
    return { known: false, reason: messageOf(error) }
  }
}

/** What properties and values that `DESC USER` has given say of them. */
export function slotsIn(described: Iterable<readonly [property: string, value: string | null]>): Slots {
  const values = new Map(Array.from(described, ([property, value]) => [property.toUpperCase(), value]))
  const [first, second] = SLOTS.map((slot) => `${slot}_FP`)
  if (first === undefined || second === undefined || !values.has(first) || !values.has(second))
    return { known: false, reason: 'DESC USER does not show them' }
  return {
    known: true,
    fingerprints: { RSA_PUBLIC_KEY: shown(values.get(first)), RSA_PUBLIC_KEY_2: shown(values.get(second)) },
  }
}

export function slotOf(fingerprint: string, slots: Slots): Slot | undefined {
  return slots.known ? SLOTS.find((slot) => slots.fingerprints[slot] === fingerprint) : undefined
}

export function otherSlot(slot: Slot): Slot {
  return slot === 'RSA_PUBLIC_KEY' ? 'RSA_PUBLIC_KEY_2' : 'RSA_PUBLIC_KEY'
}

/** An empty property is shown as the word null [assumed]. */
function shown(value: string | null | undefined): string | null {
  return value === undefined || value === null || value === '' || value === 'null' ? null : value
}
