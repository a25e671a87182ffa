import type { IncomingMessage } from '../../../src/mqtt-link.ts'
import { randomId } from '../../../src/random-id.ts'
import type { Topics } from '../../../src/topics.ts'
import type { Examination } from '../examination.ts'
import type { BrokerProbe } from './broker-probe.ts'

/** Without a marker: as long as a broker in the house surely needs. */
const QUIET_MS = 1_500
const MARKER_MS = 2_000

/** A topic of the bridge's answers that nobody listens to. */
export function markerTopic(topics: Topics): string {
  return topics.response(`doctor-${randomId(8)}`)
}

/** All that comes between `act` and the moment the broker has had time to bring what that asked for. */
export async function messagesAfter(
  probe: BrokerProbe,
  act: () => Promise<void>,
  { clock, topics }: Pick<Examination, 'clock' | 'topics'>,
  signal: AbortSignal,
): Promise<IncomingMessage[]> {
  const messages: IncomingMessage[] = []
  const marker = markerTopic(topics)
  let seen: () => void = () => undefined
  const back = new Promise<void>((resolve) => {
    seen = resolve
  })
  const stop = probe.listen((message) => {
    if (message.topic === marker) seen()
    else messages.push(message)
  })
  try {
    await act()
    const isMarked = await probe.link.subscribe([marker]).then(
      () => true,
      () => false,
    )
    // Behind everything that was asked for before, where the access rules let it through.
    const sent = isMarked
      ? await probe.link.publish(marker, '').then(
          () => true,
          () => false,
        )
      : false
    await Promise.race([back, clock.sleep(sent ? MARKER_MS : QUIET_MS, signal)])
    return messages
  } finally {
    stop()
    if (probe.link.connected) await probe.link.unsubscribe([marker]).catch(() => undefined)
  }
}
