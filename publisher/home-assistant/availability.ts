import type { Topics } from '../../src/topics.ts'

/** The bare words on `availability`, retained. */
export const ONLINE = 'online'
export const OFFLINE = 'offline'

/** Part of CONNECT: what the broker publishes, retained, when this Pi falls silent. */
export function willOf(hostname: string, topics: Topics): { topic: string; payload: string } {
  return { topic: topics.availability(hostname), payload: OFFLINE }
}

/** One run of the publisher is one client: a Pi that was copied does not throw the other off the broker. */
export function clientIdOf(hostname: string, stream: string): string {
  return `snowhat-${hostname}-${stream}`
}
