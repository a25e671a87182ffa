import type { Check } from '../check.ts'
import { ok, skipped, warn } from '../finding.ts'
import { type BrokerProbe, openProbe } from './broker-probe.ts'
import { markerTopic } from './settle.ts'

const WAIT_MS = 2_000

/** Goes away, lets something be queued, and comes back for it: what the bridge relies on while it restarts. */
export const sessionCheck: Check = {
  id: 'broker.session',
  side: 'bridge',
  needs: ['broker'],
  async run(examination, signal) {
    const { settings, clock, topics } = examination
    const probe = examination.take('broker')
    const clientId = `${probe.clientId}-session`
    const topic = markerTopic(topics)
    const open = (persistentSession: boolean, until = signal) =>
      openProbe({ ...settings.mqtt, protocol: probe.protocol }, examination, until, { clientId, persistentSession })
    try {
      const first = await open(true)
      await first.link.subscribe([topic])
      await first.close()
      await probe.link.publish(topic, 'queued')
      const second = await open(true)
      try {
        if (!second.resumed) return [forgotten('the broker does not keep the session of a client that is away')]
        if (await arrives(second, topic, clock.sleep(WAIT_MS, signal)))
          return [ok('broker.session', 'the broker keeps a session, and what comes for it meanwhile')]
        return [skipped('broker.session', 'the session is kept; whether messages are cannot be seen by this user')]
      } finally {
        await second.close()
      }
    } finally {
      // A client that begins anew takes the session away, also when time is up.
      await open(false, new AbortController().signal).then((last) => last.close())
    }
  },
}

function forgotten(what: string) {
  return warn('broker.session', what, {
    why: 'what the Pis send while the bridge restarts is queued nowhere; they send it again, later',
    fix: 'allow persistent sessions at the broker (Mosquitto does; persistent_client_expiration bounds them)',
  })
}

async function arrives(probe: BrokerProbe, topic: string, timeIsUp: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = probe.listen((message) => message.topic === topic && resolve(true))
    void timeIsUp
      .catch(() => undefined)
      .then(() => {
        stop()
        resolve(false)
      })
  })
}
