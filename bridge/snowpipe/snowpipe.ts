import type { Encoding } from '../compression.ts'
import type { ChannelPath, PipePath } from './address.ts'
import type { Answer } from './answer.ts'
import type { ChannelStatus } from './status.ts'
import type { Verdict } from './verdict.ts'

/** What every call gives: the verdict, and the value when it is `ok`. */
export type Outcome<T> =
  | { readonly verdict: 'ok'; readonly value: T }
  | { readonly verdict: Exclude<Verdict, 'ok'>; readonly answer: Answer }

export interface Opened {
  readonly continuationToken: string
  readonly status: ChannelStatus
}

/** An append whose bytes never change again: that is what makes sending it twice harmless. */
export interface AppendRequest {
  readonly requestId: string
  readonly continuationToken: string
  readonly startOffsetToken: string
  readonly endOffsetToken: string
  /** NDJSON, compressed. */
  readonly body: Buffer
  readonly encoding: Encoding
  /** Bytes before compression. */
  readonly bytes: number
}

/** Snowpipe Streaming v2 over REST. Each call is made once; who calls decides about again. */
export interface Snowpipe {
  open(path: ChannelPath, failOnUncommittedRows: boolean): Promise<Outcome<Opened>>
  append(path: ChannelPath, append: AppendRequest): Promise<Outcome<{ readonly continuationToken: string }>>
  /** Channels the service does not know are missing from the map. */
  status(pipe: PipePath, channels: readonly string[]): Promise<Outcome<Map<string, ChannelStatus>>>
  /** Takes the channel away with its offset token and its counts; its rows stay in the table. One that is not there is no error. */
  drop(path: ChannelPath): Promise<Outcome<undefined>>
  /** Ends at once: a call under way gets no answer. */
  close(): Promise<void>
}
