import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import type { Auth } from '../auth.ts'
import { type Catalog, defaultPipeOf } from '../catalog.ts'
import { type Channel, ROW_SEQUENCE_GAP } from '../channel.ts'
import type { Channels } from '../channels.ts'
import type { Committer } from '../committer.ts'
import type { ElasticChannels } from '../elastic.ts'
import type { IngestHost } from '../ingest-host.ts'
import { foldIdentifier } from '../names.ts'
import type { FaultDocument } from './document.ts'
import { type Happening, isHappening, isOfChannels, REOPEN } from './fault.ts'
import type { Faults } from './faults.ts'
import type { Rule } from './rule.ts'

export interface DisturberDeps {
  readonly faults: Faults
  readonly channels: Channels
  readonly elastic: ElasticChannels
  readonly committer: Committer
  readonly auth: Auth
  readonly ingestHost: IngestHost
  readonly catalog: Catalog
  readonly clock: Clock
  readonly log: Log
}

/**
 * Changes the service as faults say: for a request, or by itself when the time has come. What it has done stays when the
 * fault is taken back: an invalidated channel is invalid until somebody opens it.
 */
export class Disturber {
  readonly #deps: DisturberDeps
  readonly #waiting = new Set<Promise<void>>()

  constructor(deps: DisturberDeps) {
    this.#deps = deps
  }

  /**
   * Puts these faults in the place of those in force; resolves when those that strike at once have struck. `host` is the
   * name under which the emulator is known.
   */
  async set(document: FaultDocument, host: string): Promise<void> {
    const { committer, faults } = this.#deps
    faults.replace(document)
    committer.reconsider()
    const atOnce: Promise<void>[] = []
    for (const rule of faults.rules) {
      const { fault } = rule
      if (!isHappening(fault)) this.#wait(this.#reconsiderWith(rule, faults.replaced))
      else if (fault.operation === undefined) {
        if (fault.after === 0) atOnce.push(this.#strike(rule, fault, host, rule.beginsAt))
        this.#wait(this.#strikeLater(rule, fault, host, faults.replaced))
      }
    }
    await Promise.all(atOnce)
  }

  /** No fault strikes from now on, and nobody waits for one. */
  async close(): Promise<void> {
    this.#deps.faults.close()
    await Promise.all(this.#waiting)
  }

  /** What a fault does to these channels, or to the service as a whole; `host` is the name it was spoken to under. */
  async carryOut(fault: Happening, struck: readonly Channel[], host: string): Promise<void> {
    const { auth, catalog, channels, elastic, ingestHost } = this.#deps
    switch (fault.action) {
      case 'invalidate-channel':
        return channels.invalidate(struck, fault.code, fault.pending)
      case 'row-gap':
        return channels.invalidate(struck, ROW_SEQUENCE_GAP, 'lost')
      case 'lose-pending':
        for (const channel of struck) channel.losePending()
        return
      case 'drop-channel':
        return channels.lose(struck)
      case 'replace-table':
        for (const { name } of catalog.tables) {
          if (fault.table !== undefined && foldIdentifier(fault.table) !== name.name) continue
          await elastic.loseAllOf([defaultPipeOf(name), ...catalog.pipesInto(name).map((pipe) => pipe.name)])
          await channels.replaceTable(name)
        }
        return
      case 'expire-tokens':
        auth.expireTokens()
        return
      case 'fail-over':
        // Another cluster knows neither these tokens nor who owns a channel [assumed].
        ingestHost.moveAway(host, fault.to)
        auth.expireTokens()
        return channels.invalidate(channels.all, REOPEN, fault.pending)
    }
  }

  /** `at` is when it was to be: a timer may be a little early. */
  async #strike(rule: Rule, fault: Happening, host: string, at: number): Promise<void> {
    const { channels } = this.#deps
    const strikes = (names: readonly string[]) => rule.strikes(fault.action, names, at)
    if (!isOfChannels(fault)) return strikes([]) ? this.carryOut(fault, [], host) : undefined
    const struck = channels.all.filter((channel) => strikes([channel.name]))
    await this.carryOut(fault, struck, host)
  }

  async #strikeLater(rule: Rule, fault: Happening, host: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    const every = fault.every ?? Number.POSITIVE_INFINITY
    for (let at = fault.after > 0 ? rule.beginsAt : rule.beginsAt + every; at < rule.endsAt; at += every) {
      await clock.sleep(at - clock.monotonic(), signal)
      await this.#strike(rule, fault, host, at)
    }
  }

  /** Commits that were frozen go on when nothing holds them any more. */
  async #reconsiderWith(rule: Rule, signal: AbortSignal): Promise<void> {
    const { clock, committer } = this.#deps
    if (rule.fault.action !== 'freeze') return
    for (const edge of [rule.beginsAt, rule.endsAt]) {
      if (edge === Number.POSITIVE_INFINITY) return
      for (let ms = edge - clock.monotonic(); ms > 0; ms = edge - clock.monotonic()) await clock.sleep(ms, signal)
      committer.reconsider()
    }
  }

  #wait(work: Promise<void>): void {
    const { replaced } = this.#deps.faults
    const done = work
      .catch((error) => {
        if (!replaced.aborted) this.#deps.log.error({ err: error }, 'a fault could not strike')
      })
      .finally(() => this.#waiting.delete(done))
    this.#waiting.add(done)
  }
}
