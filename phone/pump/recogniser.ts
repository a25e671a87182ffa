import type { ActivityRecord } from '../recognition/activity-record.ts'
import type { Message } from '../wire/message.ts'

/** Makes activities of messages. What comes out depends on the calls and their order alone. */
export interface Recogniser {
  /** @param receivedAtMs epoch ms at which the message came */
  message(message: Message, receivedAtMs: number): readonly ActivityRecord[]
  /** The recording is over: its last windows. */
  idle(deviceId: string, sessionId: string): readonly ActivityRecord[]
  /** JSON, to go on from later. */
  snapshot(): unknown
}
