import { EventEmitter } from 'node:events'
import fc from 'fast-check'
import type { MqttClient } from 'mqtt'
import { describe, expect, it } from 'vitest'
import { DeferredAcks, type UnacknowledgedLimit } from '../../src/deferred-acks.ts'
import { settled } from '../support/manual-clock.ts'

/** Hands messages over one after another, as the library does: the next one when the last one's PUBACK is out of its hands. */
class Library extends EventEmitter {
  connected = true
  readonly sent: number[] = []
  readonly handed: { readonly id: number; readonly take: () => void; readonly refuse: () => void }[] = []
  readonly acks: DeferredAcks
  readonly #queue: { readonly id: number; readonly bytes: number }[] = []
  #busy = false

  constructor(limit: UnacknowledgedLimit) {
    super()
    this.acks = new DeferredAcks(this as unknown as MqttClient, limit)
  }

  /** PUBACKs as bytes. */
  readonly stream = {
    write: (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += 4) {
        expect([bytes[at], bytes[at + 1]]).toEqual([0x40, 2])
        this.sent.push(bytes.readUInt16BE(at + 2))
      }
    },
  }

  // What DeferredAcks puts itself before.
  _sendPacket = (packet: { readonly cmd: string; readonly messageId?: number }, done?: () => void): void => {
    if (packet.messageId !== undefined) this.sent.push(packet.messageId)
    done?.()
  }

  receive(id: number, bytes: number): void {
    this.#queue.push({ id, bytes })
    if (!this.#busy) this.#next()
  }

  #next(): void {
    const message = this.#queue.shift()
    this.#busy = message !== undefined
    if (message === undefined) return
    const { id, bytes } = message
    const taken = new Promise<void>((resolve, reject) => this.handed.push({ id, take: resolve, refuse: reject }))
    this.acks.add(bytes, taken)
    this._sendPacket({ cmd: 'puback', messageId: id }, () => this.#next())
  }
}

describe('PUBACKs that wait', () => {
  it('leave in the order of the messages, each when its message is taken, and never more than so many are open', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('receive' as const), bytes: fc.integer({ min: 1, max: 100 }) }),
      fc.record({ do: fc.constantFrom('take' as const, 'refuse' as const), at: fc.nat(5) }),
    )
    const limit = fc.record({ messages: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 1, max: 300 }) })
    await fc.assert(
      fc.asyncProperty(limit, fc.array(step, { maxLength: 40 }), async (limit, steps) => {
        const library = new Library(limit)
        const bytesOf: number[] = []
        const state: ('open' | 'taken' | 'refused')[] = []
        const end = async (at: number, how: 'take' | 'refuse') => {
          const message = library.handed.splice(at, 1)[0]
          if (message === undefined) return
          state[message.id] = how === 'take' ? 'taken' : 'refused'
          message[how]()
          await settled()
        }
        const check = () => {
          const first = state.indexOf('open')
          const done = state.slice(0, first < 0 ? undefined : first)
          expect(library.sent).toEqual(done.flatMap((one, id) => (one === 'taken' ? [id] : [])))
          const waiting = state.length - done.length - (state.length - handedOver())
          expect(library.acks.open).toBe(waiting)
          expect(waiting).toBeLessThanOrEqual(limit.messages)
          const bytes = bytesOf.slice(done.length, handedOver() - 1).reduce((sum, one) => sum + one, 0)
          expect(bytes).toBeLessThan(limit.bytes)
        }
        let over = 0
        const handedOver = () => {
          over = Math.max(over, ...library.handed.map(({ id }) => id + 1), state.lastIndexOf('taken') + 1)
          return Math.max(over, state.lastIndexOf('refused') + 1)
        }
        for (const one of steps) {
          if (one.do === 'receive') {
            bytesOf.push(one.bytes)
            library.receive(state.push('open') - 1, one.bytes)
          } else await end(one.at, one.do)
          check()
        }
        while (library.handed.length > 0) await end(library.handed.length - 1, 'take')
        check()
        expect(library.acks.open).toBe(0)
      }),
    )
  })

  it('go to no connection that has ended', async () => {
    const library = new Library({ messages: 2, bytes: 100 })
    library.receive(0, 1)
    library.connected = false
    library.handed[0]?.take()
    await settled()
    expect(library.sent).toEqual([])
  })

  it('leave every other packet alone', () => {
    const library = new Library({ messages: 1, bytes: 100 })
    library.receive(0, 1)
    library._sendPacket({ cmd: 'pingreq', messageId: 99 })
    expect(library.sent).toEqual([99])
  })

  it('are not taken into hands by a library that does not send packets as this one does', () => {
    expect(() => new DeferredAcks(new EventEmitter() as unknown as MqttClient, { messages: 1, bytes: 1 })).toThrow(
      'MQTT library',
    )
  })
})
