import { EventEmitter } from 'node:events'
import type { Log } from './log.ts'

/** Event names and the tuple each carries. */
export type EventMap = Record<string, unknown[]>

/**
 * Typed events that report and never steer: metrics, the page and tests listen, the pipeline itself uses
 * calls and promises. A listener that throws is logged and hurts nobody.
 */
export class Events<M extends EventMap> {
  readonly #emitter = new EventEmitter()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
    this.#emitter.setMaxListeners(0)
  }

  emit<K extends keyof M & string>(name: K, ...payload: M[K]): void {
    for (const listener of this.#emitter.listeners(name)) {
      try {
        listener(...payload)
      } catch (error) {
        this.#log.error({ err: error, event: name }, 'an event listener failed')
      }
    }
  }

  /** Gives the function that takes the listener away again. */
  on<K extends keyof M & string>(name: K, listener: (...payload: M[K]) => void): () => void {
    this.#emitter.on(name, listener as (...payload: unknown[]) => void)
    return () => this.#emitter.off(name, listener as (...payload: unknown[]) => void)
  }
}
