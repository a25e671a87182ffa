import type { MqttClient } from 'mqtt'
import { SnowhatError } from './errors.ts'

/*
 * The one place that reaches into the MQTT library. It handles packets strictly one after another and sends the PUBACK
 * when `handleMessage` calls back, so a commit would have to end before the next message is even seen [observed, MQTT.js
 * 5.16.0]. Here it may go on at once, and its PUBACKs are held back until what they acknowledge is taken. A contract test
 * fails when the library sends them another way.
 */

/** How much may be unacknowledged: the broker's own window is not kept by every broker [observed, Mosquitto 2.0.11]. */
export interface UnacknowledgedLimit {
  readonly messages: number
  readonly bytes: number
}

interface Packet {
  readonly cmd: string
}

type SendPacket = (packet: Packet, done?: (error?: Error) => void, ...rest: unknown[]) => void

interface Open {
  readonly bytes: number
  state: 'pending' | 'taken' | 'refused'
  puback: Packet | undefined
}

/** Sends PUBACKs in the order of the messages [documented, MQTT 4.6], each when its message is taken. */
export class DeferredAcks {
  readonly #limit: UnacknowledgedLimit
  readonly #client: MqttClient
  readonly #send: SendPacket
  readonly #open: Open[] = []
  #bytes = 0
  /** Lets the library go on with the next packet. */
  #resume: (() => void) | undefined

  constructor(client: MqttClient, limit: UnacknowledgedLimit) {
    this.#limit = limit
    this.#client = client
    const inner = client as unknown as { _sendPacket?: SendPacket }
    const send = inner._sendPacket
    if (typeof send !== 'function')
      throw new SnowhatError(
        'E_MISSING_PACKAGE',
        'this version of the MQTT library sends packets in a way not known here',
        {
          hint: 'install the version that package-lock.json names: npm ci',
        },
      )
    this.#send = send.bind(client)
    inner._sendPacket = (packet, done, ...rest) => {
      if (packet.cmd === 'puback') this.#hold(packet, done)
      else this.#send(packet, done, ...rest)
    }
  }

  /** Messages not yet acknowledged. */
  get open(): number {
    return this.#open.length
  }

  /** Called in the order of the messages, before the library is told to go on. Refused: no PUBACK on this connection. */
  add(bytes: number, taken: Promise<void>): void {
    const open: Open = { bytes, state: 'pending', puback: undefined }
    this.#open.push(open)
    this.#bytes += bytes
    const settle = (state: 'taken' | 'refused') => () => {
      open.state = state
      this.#flush()
    }
    taken.then(settle('taken'), settle('refused'))
  }

  /** The library is done with the newest message. */
  #hold(puback: Packet, done: (() => void) | undefined): void {
    const newest = this.#open.at(-1)
    if (newest !== undefined) newest.puback = puback
    this.#resume = done
    this.#flush()
  }

  #flush(): void {
    for (let head = this.#open[0]; head !== undefined && head.state !== 'pending'; head = this.#open[0]) {
      // Taken before the library has asked for its acknowledgement.
      if (head.puback === undefined) break
      this.#open.shift()
      this.#bytes -= head.bytes
      // Not to a connection that has ended: the library would keep it for the next one.
      if (head.state === 'taken' && this.#client.connected) this.#send(head.puback)
    }
    if (this.#open.length >= this.#limit.messages || this.#bytes >= this.#limit.bytes) return
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }
}
