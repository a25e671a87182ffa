import type { Fields } from './finding.ts'

/** What the publisher promises of a topic its document names. */
export interface TopicFacts {
  readonly retained?: boolean
  /** Between two messages, seconds. */
  readonly intervalSeconds?: number
  /** Keys its payloads always have, `null` or not; those of objects in them as `a.b`. */
  readonly fields?: readonly string[]
  /** Payloads that may occur: of an event, a choice or an enumeration, all of them. */
  readonly samples?: readonly string[]
}

export interface JudgeOptions {
  /** The discovery prefix; `homeassistant` unless told otherwise. */
  readonly prefix?: string
  /** If given, templates may read no topic that is not in it (C17). */
  readonly topics?: Readonly<Record<string, TopicFacts>>
  /** The documents that are retained on other discovery topics, by topic (C3). */
  readonly others?: ReadonlyMap<string, Uint8Array | string>
  /** The form all ids have had since the first release (C3). */
  readonly uniqueIds?: RegExp
  /** The broker's, from its CONNACK, bytes (T2). */
  readonly maximumPacketSize?: number
}

/** What the rules for a document are told. */
export interface Case {
  readonly root: Fields
  readonly options: JudgeOptions
}

/** One component, as it was sent and as it is with what it inherits. */
export interface ComponentCase extends Case {
  readonly platform: string
  readonly own: Fields
  readonly merged: Fields
  /** Of the topic its state comes from. */
  readonly facts: TopicFacts | undefined
}
