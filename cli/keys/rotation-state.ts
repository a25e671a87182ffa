import { SLOTS, type Slot } from './alter-user.ts'
import type { RotatedKey } from './rotation-files.ts'
import { type Slots, slotOf } from './slots.ts'

/** Where a rotation stands, and what a person has to run next. */
export interface RotationState {
  readonly step: 'register' | 'retire' | 'done'
  readonly done: boolean
  readonly file: string
  /** Of the key in the file now. */
  readonly fingerprint: string
  /** The two keys have changed places in this run. */
  readonly switched: boolean
  readonly slot: Slot | null
  readonly statement: string | null
  /** What a person should know of the slots before running it. */
  readonly note: string | null
}

/** What to know before the new key is put into this place. */
export function noteOnFree(slot: Slot, current: RotatedKey, next: RotatedKey, slots: Slots): string | null {
  if (!slots.known)
    return `Snowflake did not say which place is free (${slots.reason}). Look first: DESC USER must not show ${current.fingerprint} as ${slot}_FP, or else repeat this with --slot ${slot === SLOTS[1] ? 1 : 2}`
  const there = slots.fingerprints[slot]
  if (there === null || there === next.fingerprint) return null
  return `${slot} holds another key now, ${there}: whoever signs in with that will be refused`
}

/** What to know before the old key is taken away. */
export function noteOnOld(previous: RotatedKey, slots: Slots): string | null {
  if (!slots.known)
    return `Snowflake did not say where the old key is (${slots.reason}). Look first: DESC USER must show ${previous.fingerprint} as the fingerprint of what you take away`
  return slotOf(previous.fingerprint, slots) === undefined
    ? 'DESC USER does not show the old key any more, and it still signs in: that may take a moment'
    : null
}

export function tell(state: RotationState, print: (line: string) => void): void {
  if (state.switched) {
    print(`The new key signs in, and is in ${state.file}: ${state.fingerprint}`)
    print('A bridge that reads this file goes over to it by itself. Copies of it elsewhere have to be replaced now.')
  }
  if (state.step === 'done') {
    print(`Done: the old key is refused, and its file is gone. In use: ${state.fingerprint}`)
    return
  }
  print(
    state.step === 'register'
      ? `A new key is beside the one in use (${state.file}.next). It does not sign in yet. Run in Snowflake:`
      : 'The old key still signs in. Run in Snowflake:',
  )
  if (state.statement !== null) print(`\n  ${state.statement}\n`)
  if (state.note !== null) print(state.note)
  print('Then run snowhat keys rotate again.')
}
