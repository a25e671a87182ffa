import type { SnowflakeSettings } from '../../bridge/config.ts'
import { resolveSnowflake } from '../../bridge/snowflake-target.ts'
import { credentialKindOf } from '../../bridge/snowpipe/credentials.ts'
import type { Clock } from '../../src/clock.ts'
import { parseDuration } from '../../src/duration.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import type { Invocation } from '../command.ts'
import { SLOTS, type Slot, setKey, unsetKey } from './alter-user.ts'
import { type RotatedKey, RotationFiles } from './rotation-files.ts'
import { noteOnFree, noteOnOld, type RotationState, tell } from './rotation-state.ts'
import { signIn } from './sign-in.ts'
import { askSlots, otherSlot, type Slots, slotOf } from './slots.ts'

/** How often a key is tried that a person is registering, or taking away. */
const TRY_EVERY_MS = 5_000

export interface RotationDeps {
  readonly clock: Clock
  readonly log: Log
  readonly stop: AbortSignal
  /** Milliseconds to wait for a person at each step. */
  readonly waitMs: number
  /** Where the new key goes, when Snowflake does not say which place is free. */
  readonly slot: Slot
  /** Told of a state that is waited in. */
  readonly onWaiting: (state: RotationState) => void
}

/** `snowhat keys rotate`, to be repeated until it says done. 0 then, 1 before. */
export async function rotate({ settings, flags, clock, log, print, stop }: Invocation): Promise<number> {
  const waitMs = typeof flags.wait === 'string' ? parseDuration(flags.wait) : 0
  if (waitMs === undefined) throw new SnowhatError('E_USAGE', '--wait wants a time such as 90s or 10m')
  const slot = flags.slot === undefined ? SLOTS[1] : SLOTS[Number(flags.slot) - 1]
  if (slot === undefined) throw new SnowhatError('E_USAGE', '--slot is 1 (RSA_PUBLIC_KEY) or 2 (RSA_PUBLIC_KEY_2)')
  const say = (state: RotationState) => (flags.json === true ? print(JSON.stringify(state)) : tell(state, print))
  const state = await advance(resolveSnowflake(settings.snowflake), { clock, log, stop, waitMs, slot, onWaiting: say })
  say(state)
  return state.done ? 0 : 1
}

/** Takes a rotation as far as it goes without a person, or with one while it waits. */
export async function advance(settings: SnowflakeSettings, deps: RotationDeps): Promise<RotationState> {
  if (credentialKindOf(settings) !== 'private_key' || settings.private_key_file === '')
    throw new SnowhatError('E_CONFIG_INVALID', 'there is no key in a file of its own that could be rotated', {
      hint: 'set snowflake.private_key_file; a token is replaced by writing the new one into its file',
    })
  const files = await RotationFiles.of(settings.private_key_file, settings.private_key_passphrase)
  const before = await files.current()
  const rotation = new Rotation(settings, files, deps)
  const kept = await files.ifThere('next')
  if (kept === undefined && (await files.hasOtherPrevious(before))) return rotation.retire(before, false)
  const next = kept ?? (await files.makeNext(before.bits))
  const register = await rotation.register(before, next)
  if (register !== undefined) return register
  await files.switch()
  return rotation.retire(next, true)
}

class Rotation {
  readonly #settings: SnowflakeSettings
  readonly #files: RotationFiles
  readonly #deps: RotationDeps

  constructor(settings: SnowflakeSettings, files: RotationFiles, deps: RotationDeps) {
    this.#settings = settings
    this.#files = files
    this.#deps = deps
  }

  /** Nothing when the new key signs in. */
  async register(current: RotatedKey, next: RotatedKey): Promise<RotationState | undefined> {
    if (await this.#isTaken(next)) return undefined
    const slots = await this.#slots(current)
    const slot = freeSlot(current, next, slots, this.#deps.slot)
    const state: RotationState = {
      step: 'register',
      done: false,
      file: this.#files.file,
      fingerprint: current.fingerprint,
      switched: false,
      slot,
      statement: setKey(this.#settings.user, slot, next.publicKey),
      note: noteOnFree(slot, current, next, slots),
    }
    return this.#waitUntil(state, () => this.#isTaken(next))
  }

  /** Done when the old key does not sign in any more, and the new one does. */
  async retire(current: RotatedKey, switched: boolean): Promise<RotationState> {
    const previous = await this.#files.ifThere('previous')
    if (previous === undefined)
      throw new SnowhatError('E_FILE_UNREADABLE', `${this.#files.previous} has gone meanwhile`)
    if (!switched) await this.#mustBeTaken(current)
    const of = { file: this.#files.file, fingerprint: current.fingerprint, switched }
    const isRefused = async () => !(await this.#isTaken(previous))
    if (!(await isRefused())) {
      const slots = await this.#slots(current)
      const slot = slotOf(previous.fingerprint, slots) ?? (slots.known ? null : otherSlot(this.#deps.slot))
      const state: RotationState = {
        ...of,
        step: 'retire',
        done: false,
        slot,
        statement: slot === null ? null : unsetKey(this.#settings.user, slot),
        note: noteOnOld(previous, slots),
      }
      const waiting = await this.#waitUntil(state, isRefused)
      if (waiting !== undefined) return waiting
      // Whoever has taken away the wrong one must not lose the right one's file as well.
      await this.#mustBeTaken(current)
    }
    await this.#files.removePrevious()
    return { ...of, step: 'done', done: true, slot: null, statement: null, note: null }
  }

  /** The state when time is up; nothing when what was waited for has come. */
  async #waitUntil(state: RotationState, isSo: () => Promise<boolean>): Promise<RotationState | undefined> {
    const { clock, onWaiting, stop, waitMs } = this.#deps
    if (waitMs === 0) return state
    onWaiting(state)
    const until = clock.monotonic() + waitMs
    while (clock.monotonic() < until) {
      await clock.sleep(Math.min(TRY_EVERY_MS, until - clock.monotonic()), stop).catch(() => {
        throw new SnowhatError('E_SHUTDOWN', 'stopped; run it again to go on from here')
      })
      if (await isSo()) return undefined
    }
    return state
  }

  /** Throws when it is neither taken nor refused: an unreachable account says nothing about a key. */
  async #isTaken(key: RotatedKey): Promise<boolean> {
    const result = await signIn(this.#with(key), this.#deps)
    if (!result.ok && !result.refused) throw result.error
    return result.ok
  }

  async #mustBeTaken(key: RotatedKey): Promise<void> {
    const result = await signIn(this.#with(key), this.#deps)
    if (!result.ok) throw result.error
  }

  #slots(key: RotatedKey): Promise<Slots> {
    return askSlots(this.#with(key), this.#deps)
  }

  #with({ pem }: RotatedKey): SnowflakeSettings {
    return { ...this.#settings, private_key: pem, private_key_file: '' }
  }
}

/** Where the new key is, or else where the key in use is not. */
function freeSlot(current: RotatedKey, next: RotatedKey, slots: Slots, otherwise: Slot): Slot {
  if (!slots.known) return otherwise
  const used = slotOf(current.fingerprint, slots)
  return (
    slotOf(next.fingerprint, slots) ??
    (used === undefined ? (SLOTS.find((slot) => slots.fingerprints[slot] === null) ?? otherwise) : otherSlot(used))
  )
}
