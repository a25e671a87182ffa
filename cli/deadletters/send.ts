import type { LetterIdentity, ReplayedLog } from '../../bridge/dead-letters/replayed.ts'
import type { Clock } from '../../src/clock.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { Log } from '../../src/log.ts'
import type { MqttLink } from '../../src/mqtt-link.ts'
import { type Message, messagesOf, type Planned } from './messages.ts'

export interface SendResult {
  letters: number
  readings: number
  /** Letters not acknowledged as a whole, and why the first of them is not. */
  unsent: number
  reason: string | undefined
  /** The broker's rules forbid it: running it again changes nothing. */
  refusal: SnowhatError | undefined
}

interface SendDeps {
  readonly clock: Clock
  readonly log: Log
  readonly stop: AbortSignal
}

const PROGRESS_EVERY_MS = 2_000

/**
 * Sends the letters, topic by topic, and notes those whose readings are all acknowledged. Full messages, and one at a
 * time: a broker throws away what is too much for the queue of a bridge that is slower, and acknowledges it. What is
 * under way when this process is killed is sent again by the next replay: one message. What is left over is told, not
 * thrown.
 */
export async function sendLetters(
  planned: readonly Planned[],
  to: { readonly link: MqttLink; readonly replayed: ReplayedLog | undefined },
  { clock, log, stop }: SendDeps,
): Promise<SendResult> {
  const result: SendResult = { letters: 0, readings: 0, unsent: planned.length, reason: undefined, refusal: undefined }
  const done = new AbortController()
  const progress = (async () => {
    for (;;) {
      await clock.sleep(PROGRESS_EVERY_MS, done.signal)
      log.info({ letters: result.letters, of: planned.length, readings: result.readings }, 'replaying')
    }
  })().catch(() => undefined)
  for (const [topic, letters] of byTopic(planned)) {
    try {
      for (const message of messagesOf(letters)) {
        if (stop.aborted) throw new SnowhatError('E_SHUTDOWN', 'stopped')
        await to.link.publish(topic, message.payload)
        await to.replayed?.note(identitiesOf(message))
        result.letters += message.ends.length
        result.unsent -= message.ends.length
        result.readings += message.readings
      }
    } catch (error) {
      result.reason ??= messageOf(error)
      if (isForbidden(error)) result.refusal ??= refusalOf(topic, error)
      // Another device's topic may be allowed where this one's is not; but not on a connection that is gone.
      if (error instanceof SnowhatError) break
    }
  }
  done.abort()
  await progress
  return result
}

/** MQTT 5, "Not authorized". Under 3.1.1 nobody is told [documented]. */
const NOT_AUTHORIZED = 0x87

function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === NOT_AUTHORIZED
}

function refusalOf(topic: string, cause: unknown): SnowhatError {
  return new SnowhatError('E_MQTT_REFUSED', `the broker does not let this user write ${topic}`, {
    hint:
      'sign in as a user who may: with the rules of deploy/mosquitto.acl that is `replay`' +
      ' (SNOWHAT_MQTT_USERNAME and SNOWHAT_MQTT_PASSWORD_FILE), and the topic of a route of your own wants a line' +
      ' `topic write` there; what was replayed is not sent twice',
    cause,
  })
}

function byTopic(planned: readonly Planned[]): Map<string, Planned[]> {
  const topics = new Map<string, Planned[]>()
  for (const one of planned) {
    const letters = topics.get(one.plan.topic)
    if (letters === undefined) topics.set(one.plan.topic, [one])
    else letters.push(one)
  }
  return topics
}

function identitiesOf({ ends }: Message): LetterIdentity[] {
  return ends.flatMap(({ number, at }) => (number === undefined ? [] : [{ number, at }]))
}
