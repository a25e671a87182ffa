import type { TopicFacts } from '../home-assistant/judge/case.ts'
import type { Finding } from '../home-assistant/judge/finding.ts'
import { judge } from '../home-assistant/judge/judge.ts'

/** A device document as it is on the broker, with what its publisher promises of the topics in it. */
export interface PublishedDocument {
  readonly topic: string
  readonly payload: string
  readonly topics: Readonly<Record<string, TopicFacts>>
}

/** All that is wrong with it, as it is published: retained, QoS 1. `uniqueIds`: the form its ids have had since the first release. */
export function judged(
  { topic, payload, topics }: PublishedDocument,
  options: { readonly prefix: string; readonly uniqueIds: RegExp },
): readonly Finding[] {
  return judge({ topic, payload, retain: true, qos: 1 }, { ...options, topics })
}
