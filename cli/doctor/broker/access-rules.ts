import { randomId } from '../../../src/random-id.ts'
import type { Topics } from '../../../src/topics.ts'
import type { Side } from '../sides.ts'
import type { Heard } from './heard.ts'

/**
 * One thing a user must be able to do at the broker, or must not. What is sent changes nothing: an array of no readings, an
 * event of a part that does not exist, an empty message for a device that does not exist, or the very words that are retained
 * there already, not retained once more.
 */
export interface AccessRule {
  readonly topic: string
  readonly payload: string | Buffer
  readonly must: 'write' | 'write and read' | 'not write'
}

const NOTHING = ''
const NO_READINGS = '[]'
const EVENT = '{}'

/** What section "Topics" of the contract lets a side do, as far as it can be tried. */
export function accessRules(side: Side, topics: Topics, hostname: string, heard: Heard): AccessRule[] {
  const nobody = `doctor-${randomId(8)}`
  const foreign: AccessRule = { topic: topics.event(nobody, 'doctor'), payload: EVENT, must: 'not write' }
  const again = (topic: string): AccessRule[] => {
    const payload = heard.retained.get(topic)
    return payload === undefined ? [] : [{ topic, payload, must: 'write and read' }]
  }
  if (side === 'bridge')
    return [
      { topic: topics.response(nobody), payload: NOTHING, must: 'write and read' },
      { topic: topics.ledger(nobody), payload: NOTHING, must: 'write and read' },
      { topic: topics.pipelineDiscovery(nobody), payload: NOTHING, must: 'write and read' },
      foreign,
    ]
  const isKnown = heard.retained.has(topics.availability(hostname)) || heard.ledgers.has(hostname)
  return [
    { topic: topics.event(hostname, 'doctor'), payload: EVENT, must: 'write' },
    // The first message of a Pi makes it known to the bridge, so a Pi that never ran is not announced by its doctor.
    ...(isKnown ? [{ topic: topics.readings(hostname), payload: NO_READINGS, must: 'write' } as const] : []),
    ...again(topics.availability(hostname)),
    ...again(topics.info(hostname)),
    ...again(topics.deviceDiscovery(hostname)),
    { topic: topics.ledger(nobody), payload: NOTHING, must: 'not write' },
    foreign,
  ]
}

/** The line of Mosquitto's access rules that would allow it, as deploy/mosquitto.acl has it. */
export function ruleLine({ topic, must }: AccessRule, side: Side, user: string, hostname: string): string {
  const access = must === 'write' ? 'write' : 'readwrite'
  if (side === 'pi' && user === hostname)
    return `pattern ${access} ${topic.replace(hostname, '%u').replace('/event/doctor', '/event/+')}`
  const filter = topic
    .replace(/\/bridge\/.*/, '/bridge/#')
    .replace(/\/doctor-\w+\//, '/+/')
    .replace('/event/doctor', '/event/+')
  return `topic ${access} ${filter}`
}
