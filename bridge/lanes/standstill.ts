import type { StopSignal } from '../../src/stop.ts'
import { type Answer, codeOf } from '../snowpipe/answer.ts'
import type { PipePath } from '../snowpipe/client.ts'
import { remedyFor } from '../snowpipe/remedy.ts'
import type { Concern } from '../snowpipe/verdict.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { Hold, HoldCode } from './decision.ts'
import { holdRemedy } from './hold-remedy.ts'
import type { LaneDeps } from './lane-deps.ts'
import type { Call } from './roadblock.ts'

/** Why a lane stands still and who has been told: blocked by an answer that time may change, or held for a person. */
export class Standstill {
  readonly #device: DeviceLog
  readonly #deps: LaneDeps
  #hold: Hold | undefined
  /** What has made it open the channel anew since anything was last committed, and need not pass. */
  #conflicts: Set<string> | undefined

  constructor(device: DeviceLog, deps: LaneDeps) {
    this.#device = device
    this.#deps = deps
  }

  get hold(): Hold | undefined {
    return this.#hold
  }

  /** Names, grants or credentials are wrong: tells, and waits as `wait` does. */
  async blocked(answer: Answer, wait: () => Promise<void>): Promise<void> {
    const { events, trouble } = this.#deps
    const code = codeOf(answer)
    trouble.refused(this.#device.hostname, code, answer.message, remedyFor(answer), answer.requestId)
    events.emit('lane:blocked', this.#device.hostname, code, answer.message)
    await wait()
    events.emit('lane:unblocked', this.#device.hostname)
  }

  /** The channel cannot be opened; without `concern` it was another who found that out. */
  blockedAtOpening(pipe: PipePath, answer: Answer, concern: Concern | undefined, signal: StopSignal): Promise<void> {
    const call: Call = { device: this.#device.hostname, pipe, operation: 'open' }
    const { roadblocks } = this.#deps
    return this.blocked(answer, () =>
      concern === undefined ? roadblocks.wait(call, signal) : roadblocks.refused(call, concern, answer, signal),
    )
  }

  /** It concerns nobody else, as far as we know. */
  blockedAlone(pipe: PipePath, answer: Answer, signal: StopSignal): Promise<void> {
    const call: Call = { device: this.#device.hostname, pipe, operation: 'append' }
    return this.blocked(answer, () => this.#deps.roadblocks.refused(call, 'channel', answer, signal))
  }

  /** True when opening anew has not helped before: now a person must look. */
  isRepeated(conflict: Answer): boolean {
    const code = codeOf(conflict)
    this.#conflicts ??= new Set()
    if (this.#conflicts.has(code)) return true
    this.#conflicts.add(code)
    return false
  }

  /** Something was committed: what was in conflict is none any more. */
  progressed(): void {
    this.#conflicts = undefined
  }

  /** Only a person can know what is in the table. */
  held(code: HoldCode, reason: string, incarnation: number | null): void {
    const { clock, events, log } = this.#deps
    this.#hold = { code, reason, incarnation, since: clock.now() }
    log.fatal(
      { device: this.#device.hostname, code, reason, hint: holdRemedy(this.#device, code) },
      'this device is held: its rows stay in the spool until you have looked',
    )
    events.emit('lane:blocked', this.#device.hostname, code, reason)
  }

  /** A person has decided. */
  over(): void {
    this.#hold = undefined
    this.#deps.events.emit('lane:unblocked', this.#device.hostname)
  }
}
