import { type Call, headerOf, Refusal } from './answer.ts'

/**
 * The name of the ingest host. Account host and ingest host are one server here, so any name that leads to it will do:
 * the one in the request's Host header, unless the service has been told another. After a fail-over only the new name
 * takes rows; the account's own calls work under every name.
 */
export class IngestHost {
  readonly #given: () => string | undefined
  #movedTo: string | undefined

  constructor(given: () => string | undefined) {
    this.#given = given
  }

  /** What the `hostname` call answers, without port: the official SDK goes on with its own [observed]. */
  nameFor(call: Call): string {
    return this.#movedTo ?? this.#given() ?? hostOf(call)
  }

  /** The new name; by default another one of this machine's. */
  moveAway(from: string, to: string | undefined): void {
    this.#movedTo = to ?? (asHost(this.#movedTo ?? from) === 'localhost' ? '127.0.0.1' : 'localhost')
  }

  /** 410 for rows and channels under an old name [documented; the code assumed]. */
  refuseIfMoved(call: Call): void {
    if (this.#movedTo === undefined || asHost(hostOf(call)) === asHost(this.#movedTo)) return
    throw new Refusal(410, 'PIPE_FAILED_OVER', 'The pipe is served by another host now')
  }
}

/** The name in the Host header, without the port. */
export function hostOf(call: Call): string {
  const host = headerOf(call, 'host') ?? 'localhost'
  return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.replace(/:\d+$/, '')
}

/** Clients write `_` as `-` and in lower case [documented]. */
export function asHost(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}
