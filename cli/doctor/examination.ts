import type { RecordRouteSettings } from '../../bridge/routes/record-route.ts'
import type { Clock } from '../../src/clock.ts'
import type { SnowhatError } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import { createTopics, type Topics } from '../../src/topics.ts'
import type { AllSettings } from '../command.ts'
import type { BrokerAddress } from './broker/address.ts'
import type { BrokerProbe } from './broker/broker-probe.ts'
import type { Heard } from './broker/heard.ts'
import type { Side } from './sides.ts'
import type { TableColumn } from './snowflake/columns.ts'
import type { CredentialInHand } from './snowflake/credential.ts'
import type { PipeTable, StreamingPipe } from './snowflake/pipe.ts'
import type { Reached } from './snowflake/reach.ts'
import type { SignedIn } from './snowflake/signed-in.ts'

/** What checks find out for others. */
export interface Slots {
  readonly address: BrokerAddress
  /** How the broker is spoken to, once that works. */
  readonly way: 'plain' | 'TLS'
  readonly broker: BrokerProbe
  readonly heard: Heard
  readonly ownRoutes: readonly RecordRouteSettings[]
  readonly credential: CredentialInHand
  readonly reached: Reached
  readonly account: SignedIn
  /** That streams, and is not PUBLIC. */
  readonly role: string
  readonly pipes: readonly StreamingPipe[]
  readonly absentPipes: ReadonlySet<string>
  readonly table: PipeTable
  readonly columns: readonly TableColumn[]
}

export interface ExaminationParts {
  readonly settings: AllSettings
  /** What is wrong with the configuration. */
  readonly problems: readonly SnowhatError[]
  /** The configuration file, when one was named. */
  readonly configFile: string | undefined
  readonly sides: ReadonlySet<Side>
  /** Whether a row may be written. */
  readonly canary: boolean
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly stop: AbortSignal
}

/** What is looked at, and what is known of it so far. */
export class Examination implements ExaminationParts {
  readonly settings: AllSettings
  readonly problems: readonly SnowhatError[]
  readonly configFile: string | undefined
  readonly sides: ReadonlySet<Side>
  readonly canary: boolean
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly stop: AbortSignal
  readonly topics: Topics
  readonly #slots: { -readonly [S in keyof Slots]?: Slots[S] } = {}
  readonly #closing: (() => Promise<void>)[] = []

  constructor(parts: ExaminationParts) {
    this.settings = parts.settings
    this.problems = parts.problems
    this.configFile = parts.configFile
    this.sides = parts.sides
    this.canary = parts.canary
    this.clock = parts.clock
    this.log = parts.log
    this.random = parts.random
    this.stop = parts.stop
    this.topics = createTopics(parts.settings.mqtt.base_topic, parts.settings.mqtt.discovery_prefix)
  }

  give<S extends keyof Slots>(slot: S, value: Slots[S]): void {
    this.#slots[slot] = value
  }

  find<S extends keyof Slots>(slot: S): Slots[S] | undefined {
    return this.#slots[slot]
  }

  /** Of a slot the check has said it needs. */
  take<S extends keyof Slots>(slot: S): Slots[S] {
    const value = this.#slots[slot]
    if (value === undefined) throw new Error(`the check takes ${slot} and does not need it`)
    return value
  }

  /** To be called when all checks have ended. */
  atEnd(close: () => Promise<void>): void {
    this.#closing.push(close)
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#closing.map((close) => close()))
  }
}
