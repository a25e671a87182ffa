import { EventEmitter } from 'node:events'
import { type Dispatcher, request } from 'undici'
import type { Clock } from '../../src/clock.ts'
import { VERSION } from '../../src/version.ts'
import { type Answer, noAnswer, readAnswer } from './answer.ts'
import { connectionTrouble } from './connection-trouble.ts'

/** In the form the documentation recommends; any text would do [documented]. */
export const USER_AGENT = `SnowpipeStreamingSDK/${VERSION} (${process.platform}) NODE/${process.versions.node} (app=snowhat)`

export interface HttpCall {
  readonly method: Dispatcher.HttpMethod
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Milliseconds from the request to the last byte of the answer. */
  readonly timeoutMs: number
}

/** Makes HTTP calls; whatever comes of one, a time limit and a connection that fails included, is an answer. */
export class Transport {
  readonly #dispatcher: Dispatcher
  readonly #clock: Clock

  constructor(dispatcher: Dispatcher, clock: Clock) {
    this.#dispatcher = dispatcher
    this.#clock = clock
  }

  async call(url: URL, { method, headers, body, timeoutMs }: HttpCall): Promise<Answer> {
    // Of the whole call: the library's own limits are per piece, and a body may dribble for ever.
    // The library takes an emitter as well as a signal, and Node's signals are heavy (`stop.ts`).
    const late = new EventEmitter()
    let isLate = false
    const cancel = this.#clock.after(timeoutMs, () => {
      isLate = true
      late.emit('abort')
    })
    const requestId = url.searchParams.get('requestId') ?? undefined
    try {
      const response = await request(url, {
        method,
        dispatcher: this.#dispatcher,
        signal: late,
        // An answer to a request without `Accept` is an error [observed].
        headers: { accept: 'application/json', 'user-agent': USER_AGENT, ...headers },
        ...(body !== undefined && { body }),
      })
      return { ...readAnswer(response.statusCode, response.headers, await response.body.text()), requestId }
    } catch (error) {
      if (isLate) return { ...noAnswer(`no whole answer within ${timeoutMs / 1000} s`), requestId }
      return { ...connectionTrouble(error, url), requestId }
    } finally {
      cancel()
    }
  }

  /** Ends at once: a call under way gets no answer. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy()
  }
}
