import { counted } from '../../../src/counted.ts'
import type { Check } from '../check.ts'
import { broken, ok } from '../finding.ts'

const LISTEN_MS = 6_000

/** Whether readings can be heard by whoever is to stream them: a subscription that is refused looks like any other. */
export const readingsCheck: Check = {
  id: 'broker.readings',
  side: 'bridge',
  needs: ['broker', 'heard'],
  pointless: (examination) =>
    examination.take('heard').online.length === 0 ? 'no Pi says that it is online' : undefined,
  async run(examination, signal) {
    const { clock, topics } = examination
    const probe = examination.take('broker')
    const { online } = examination.take('heard')
    const ended = new AbortController()
    let from: string | undefined
    const stop = probe.listen(({ topic }) => {
      from ??= topics.hostnameOfReadings(topic)
      if (from !== undefined) ended.abort()
    })
    try {
      await probe.link.subscribe([topics.allReadings])
      await clock.sleep(LISTEN_MS, AbortSignal.any([signal, ended.signal])).catch(() => undefined)
    } finally {
      stop()
      await probe.link.unsubscribe([topics.allReadings]).catch(() => undefined)
    }
    const pis = `${counted(online.length, 'Pi')} online`
    if (from !== undefined) return [ok('broker.readings', `${pis}, and readings come (${from})`)]
    return [
      broken('broker.readings', `${pis}, and no reading is heard in ${LISTEN_MS / 1000} s`, {
        why: 'the broker takes a subscription that it does not serve, or the Pis measure more rarely than that',
        fix: `let the user ${examination.settings.mqtt.username || 'of the bridge'} read ${topics.allReadings} (deploy/mosquitto.acl); snowhat doctor on a Pi shows whether it may write there`,
      }),
    ]
  },
}
