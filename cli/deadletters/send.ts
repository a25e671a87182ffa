import type { ReplayedLog } from '../../bridge/dead-letters/replayed.ts'
import type { Clock } from '../../src/clock.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import { Gate } from '../../src/gate.ts'
import type { Log } from '../../src/log.ts'
import type { MqttLink } from '../../src/mqtt-link.ts'
import type { Topics } from '../../src/topics.ts'
import type { Letter } from './letters.ts'
import type { Replayable } from './replayable.ts'

/** A letter that can be sent. */
export interface Planned {
  readonly letter: Letter
  readonly plan: Extract<Replayable, { kind: 'ready' }>
}

export interface SendResult {
  letters: number
  readings: number
  /** Letters not acknowledged, and why the first of them is not. */
  unsent: number
  reason: string | undefined
}

/** Letters under way at once: so many may be sent again when this process is killed between PUBACK and note. */
const AT_ONCE = 20
const PROGRESS_EVERY_MS = 2_000

/** Sends each letter and notes it when all its messages are acknowledged. What is left is told, not thrown. */
export async function sendLetters(
  planned: readonly Planned[],
  {
    link,
    topics,
    replayed,
  }: { readonly link: MqttLink; readonly topics: Topics; readonly replayed: ReplayedLog | undefined },
  { clock, log, stop }: { readonly clock: Clock; readonly log: Log; readonly stop: AbortSignal },
): Promise<SendResult> {
  const result: SendResult = { letters: 0, readings: 0, unsent: 0, reason: undefined }
  const gate = new Gate(AT_ONCE)
  let broken = false
  const send = async ({ letter, plan }: Planned): Promise<void> => {
    try {
      if (stop.aborted) throw new SnowhatError('E_SHUTDOWN', 'stopped')
      if (broken) throw new SnowhatError('E_MQTT_DISCONNECTED', 'the connection to the broker was lost')
      for (const message of plan.messages) await link.publish(topics.readings(plan.device), message)
      if (letter.number !== undefined) await replayed?.note({ number: letter.number, at: letter.at })
      result.letters++
      result.readings += plan.uuids.length
    } catch (error) {
      broken ||= error instanceof SnowhatError && error.code === 'E_MQTT_DISCONNECTED'
      result.unsent++
      result.reason ??= messageOf(error)
    }
  }
  const done = new AbortController()
  const progress = (async () => {
    for (;;) {
      await clock.sleep(PROGRESS_EVERY_MS, done.signal)
      log.info({ letters: result.letters, of: planned.length, readings: result.readings }, 'replaying')
    }
  })().catch(() => undefined)
  await Promise.all(planned.map((one) => gate.pass(() => send(one))))
  done.abort()
  await progress
  return result
}
