import { describeBridge } from '../../../src/bridge-info.ts'
import { heardFrom } from '../broker/heard.ts'
import { messagesAfter } from '../broker/settle.ts'
import type { Check } from '../check.ts'
import { broken, ok, warn } from '../finding.ts'
import { ownHostname } from '../pi/own-hostname.ts'

/** Reads what bridge and Pis have left at the broker. */
export const aliveCheck: Check = {
  id: 'bridge.alive',
  needs: ['broker'],
  gives: ['heard'],
  async run(examination, signal) {
    const { sides, settings, topics } = examination
    const probe = examination.take('broker')
    const filters = [topics.bridgeInfo, topics.bridgeAvailability]
    if (sides.has('bridge')) filters.push(topics.bridgeHealth, topics.allLedgers, topics.availability('+'))
    if (sides.has('pi')) {
      const own = await ownHostname(settings).catch(() => undefined)
      if (own !== undefined)
        filters.push(topics.ledger(own), topics.availability(own), topics.info(own), topics.deviceDiscovery(own))
    }
    const subscribe = async () => {
      for (const filter of filters) await probe.link.subscribe([filter]).catch(() => undefined)
    }
    const messages = await messagesAfter(probe, subscribe, examination, signal)
    await probe.link.unsubscribe(filters)
    const heard = heardFrom(
      messages.filter(({ retain }) => retain),
      topics,
    )
    examination.give('heard', heard)
    if (heard.availability === 'online')
      return [
        ok(
          'bridge.alive',
          `a bridge runs: ${heard.bridge === undefined ? 'it does not say more' : describeBridge(heard.bridge)}`,
        ),
      ]
    if (heard.availability === undefined && heard.bridge === undefined)
      return [
        warn('bridge.alive', 'no bridge has ever been at this broker, or this user may not read what it says', {
          fix: `start it (snowhat bridge); is ${topics.bridgeInfo} readable for this user, and mqtt.base_topic the same everywhere?`,
        }),
      ]
    return [
      broken('bridge.alive', `the bridge is ${heard.availability ?? 'silent'}`, {
        why:
          heard.bridge === undefined ? 'its Will, or its farewell' : `the last one was ${describeBridge(heard.bridge)}`,
        fix: 'systemctl status snowhat-bridge, or docker compose logs bridge, says why it ended; start it again (sudo systemctl start snowhat-bridge, docker compose up -d bridge). The Pis keep their readings meanwhile',
      }),
    ]
  },
}
