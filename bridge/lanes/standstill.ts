import type { Log } from '../../src/log.ts'
import { type Answer, codeOf } from '../snowpipe/answer.ts'
import { remedyFor } from '../snowpipe/remedy.ts'
import type { DeviceLog } from '../spool/device-log.ts'
import type { Hold, HoldCode } from './decision.ts'
import { holdRemedy } from './hold-remedy.ts'
import type { LaneDeps } from './lane-deps.ts'

/** Why a lane stands still and who has been told: blocked by an answer that time may change, or held for a person. */
export class Standstill {
  readonly #device: DeviceLog
  readonly #deps: LaneDeps
  readonly #log: Log
  #hold: Hold | undefined

  constructor(device: DeviceLog, deps: LaneDeps, log: Log) {
    this.#device = device
    this.#deps = deps
    this.#log = log
  }

  get hold(): Hold | undefined {
    return this.#hold
  }

  /** Names, grants or credentials are wrong. */
  blocked(answer: Answer): void {
    const { events, trouble } = this.#deps
    const code = codeOf(answer)
    trouble.refused(this.#device.hostname, code, answer.message, remedyFor(answer), answer.requestId)
    events.emit('lane:blocked', this.#device.hostname, code, answer.message)
  }

  /** Only a person can know what is in the table. */
  held(code: HoldCode, reason: string, incarnation: number | null): void {
    const { clock, events } = this.#deps
    this.#hold = { code, reason, incarnation, since: clock.now() }
    this.#log.fatal(
      { code, reason, hint: holdRemedy(this.#device, code) },
      'this device is held: its rows stay in the spool until you have looked',
    )
    events.emit('lane:blocked', this.#device.hostname, code, reason)
  }

  /** A person has decided. */
  over(): void {
    this.#hold = undefined
  }
}
