import type { Check } from '../check.ts'
import { broken, ok, skipped } from '../finding.ts'
import { markerTopic, messagesAfter } from './settle.ts'

/** Ledgers are retained messages: without them no Pi hears that its readings are in the table. */
export const retainedCheck: Check = {
  id: 'broker.retained',
  side: 'bridge',
  needs: ['broker'],
  async run(examination, signal) {
    const probe = examination.take('broker')
    const topic = markerTopic(examination.topics)
    try {
      await probe.link.publish(topic, 'kept', { retain: true })
      const messages = await messagesAfter(probe, () => probe.link.subscribe([topic]), examination, signal)
      if (messages.some((message) => message.topic === topic && message.retain))
        return [ok('broker.retained', 'the broker keeps retained messages')]
      if (probe.protocol === '3.1.1')
        return [skipped('broker.retained', 'this user may not read or write there, and MQTT 3.1.1 does not say which')]
      return [
        broken('broker.retained', 'the broker does not give back a retained message', {
          why: 'ledgers are retained; without them the Pis keep all readings, and a bridge sends no row',
          fix: 'Mosquitto: retain_available true; or let this user read and write bridge/# (broker.access-missing)',
        }),
      ]
    } finally {
      await probe.link.publish(topic, '', { retain: true }).catch(() => undefined)
      await probe.link.unsubscribe([topic]).catch(() => undefined)
    }
  },
}
