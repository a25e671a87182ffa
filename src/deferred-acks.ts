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
  readonly messageId?: number
}

type SendPacket = (packet: Packet, done?: (error?: Error) => void, ...rest: unknown[]) => void

interface Open {
  readonly bytes: number
  state: 'pending' | 'taken' | 'refused'
  /** What the library wants acknowledged, once it has asked for that. */
  messageId: number | undefined
}

/** A PUBACK is the same in MQTT 3.1.1 and 5: that all is well needs no reason code [documented, MQTT 5 3.4.2.1]. */
const PUBACK = { bytes: 4, type: 0x40, rest: 2 }

/** Sends PUBACKs in the order of the messages [documented, MQTT 4.6], each when its message is taken. */
export class DeferredAcks {
  readonly #limit: UnacknowledgedLimit
  readonly #client: MqttClient
  readonly #open: Open[] = []
  #bytes = 0
  /** Lets the library go on with the next packet. */
  #resume: (() => void) | undefined
  /** Messages to be acknowledged with the next write. */
  #due: number[] = []

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
    inner._sendPacket = (packet, done, ...rest) => {
      if (packet.cmd === 'puback' && packet.messageId !== undefined) this.#hold(packet.messageId, done)
      else send.call(client, packet, done, ...rest)
    }
  }

  /** Messages not yet acknowledged. */
  get open(): number {
    return this.#open.length
  }

  /** Called in the order of the messages, before the library is told to go on. Refused: no PUBACK on this connection. */
  add(bytes: number, taken: Promise<void>, refused: (error: unknown) => void = () => undefined): void {
    const open: Open = { bytes, state: 'pending', messageId: undefined }
    this.#open.push(open)
    this.#bytes += bytes
    taken.then(
      () => {
        open.state = 'taken'
        this.#flush()
      },
      (error: unknown) => {
        open.state = 'refused'
        this.#flush()
        refused(error)
      },
    )
  }

  /** The library is done with the newest message. */
  #hold(messageId: number, done: (() => void) | undefined): void {
    const newest = this.#open.at(-1)
    if (newest !== undefined) newest.messageId = messageId
    this.#resume = done
    this.#flush()
  }

  #flush(): void {
    for (let head = this.#open[0]; head !== undefined && head.state !== 'pending'; head = this.#open[0]) {
      // Taken before the library has asked for its acknowledgement.
      if (head.messageId === undefined) break
      this.#open.shift()
      this.#bytes -= head.bytes
      if (head.state === 'taken') this.#acknowledge(head.messageId)
    }
    if (this.#open.length >= this.#limit.messages || this.#bytes >= this.#limit.bytes) return
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }

  #acknowledge(messageId: number): void {
    this.#due.push(messageId)
    if (this.#due.length === 1) queueMicrotask(() => this.#write())
  }

  /** A commit takes many messages at once: one write for all of them, which the library would make one each. */
  #write(): void {
    const due = this.#due
    this.#due = []
    // Not to a connection that has ended: the next one has other numbers.
    if (!this.#client.connected) return
    const bytes = Buffer.allocUnsafe(due.length * PUBACK.bytes)
    let at = 0
    for (const messageId of due) {
      bytes[at] = PUBACK.type
      bytes[at + 1] = PUBACK.rest
      at = bytes.writeUInt16BE(messageId, at + 2)
    }
    this.#client.stream.write(bytes)
  }
}
