import { SnowhatError } from '../src/errors.ts'
import { Gate } from '../src/gate.ts'
import { isHostname } from '../src/hostname.ts'
import type { Log } from '../src/log.ts'
import type { BridgeEvents } from './events.ts'
import type { Lanes } from './lanes/lanes.ts'
import type { LedgerPublisher } from './ledger/ledger-publisher.ts'
import type { DeviceLog } from './spool/device-log.ts'
import { rowsUnderWay, rowsWait, type Spool } from './spool/spool.ts'

export interface ForgetDeviceDeps {
  readonly log: Log
  readonly events: BridgeEvents
  readonly spool: Spool
  readonly lanes: Lanes
  readonly ledgers: LedgerPublisher
}

export interface ForgetWish {
  /** Rows that wait are given up. */
  readonly force: boolean
  /** Its channel goes too. */
  readonly channel: boolean
}

export interface ForgottenDevice {
  readonly rows_given_up: number
  readonly channel: 'kept' | 'dropped'
}

/**
 * Takes devices out of use: no lane, no ledger, nothing on the page, until something of them comes again. Who asked for
 * it empties what the broker holds afterwards, so nothing of the device may be published once this has resolved.
 */
export class ForgetDevice {
  readonly #deps: ForgetDeviceDeps
  readonly #oneAtATime = new Gate(1)

  constructor(deps: ForgetDeviceDeps) {
    this.#deps = deps
  }

  /**
   * `undefined`: nothing is known of this host. Rejects with `E_ROWS_WAIT`, by force only while rows are under way, and with
   * `E_NOT_FORGOTTEN` when Snowflake does not drop the channel: the device is out of use then, and the same again drops it.
   */
  async forget(hostname: string, wish: ForgetWish): Promise<ForgottenDevice | undefined> {
    const { spool } = this.#deps
    // A channel may be there though the spool was lost.
    const device = spool.known(hostname) ?? (wish.channel && isHostname(hostname) ? spool.device(hostname) : undefined)
    if (device === undefined || (device.retired && !wish.channel)) return undefined
    return this.#oneAtATime.pass(() => this.#forget(device, wish))
  }

  async #forget(device: DeviceLog, { force, channel }: ForgetWish): Promise<ForgottenDevice> {
    const { events, lanes, ledgers, log, spool } = this.#deps
    let rows = 0
    const end = async () => {
      rows = device.waiting
      await spool.retire(device, force)
      await ledgers.leave(device)
      if (channel) await this.#drop(device)
    }
    // Before its lane is ended for nothing.
    if (device.waiting > 0 && !force) throw rowsWait(device)
    if (lanes.of(device)?.mayBeTaken) throw rowsUnderWay(device)
    await lanes.without(device, end)
    log.warn({ device: device.hostname, rows, channel }, 'a device was forgotten')
    events.emit('device:forgotten', device.hostname)
    return { rows_given_up: rows, channel: channel ? 'dropped' : 'kept' }
  }

  async #drop(device: DeviceLog): Promise<void> {
    const { lanes, spool } = this.#deps
    const outcome = await lanes.dropChannel(device)
    if (outcome.verdict !== 'ok')
      throw new SnowhatError(
        'E_NOT_FORGOTTEN',
        `${device.hostname} is forgotten, but Snowflake does not drop its channel: ${outcome.answer.message}`,
        { retryable: true, hint: 'the same again with the channel tries once more' },
      )
    await spool.forgetChannel(device)
  }
}
