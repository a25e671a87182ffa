import type { Check } from '../check.ts'
import type { Examination } from '../examination.ts'
import { ok, skipped, warn } from '../finding.ts'
import { findMosquitto } from './mosquitto-config.ts'

const UNSEEN =
  'MQTT does not tell, and no Mosquitto with a configuration that can be read runs on this machine; docs/broker.md says what it should be'
/** Without `max_queued_messages` and `max_queued_bytes` [documented, mosquitto.conf(5)]. */
const DEFAULT_QUEUE = 1_000
/** Half an hour of 50 Pis at a reading a second. */
const ENOUGH = 90_000

function configured(examination: Examination) {
  return findMosquitto(examination.take('address').port)
}

/** What the broker's own restart costs: only its configuration tells. */
export const durabilityChecks: readonly Check[] = [
  {
    id: 'broker.persistence',
    needs: ['address'],
    async run(examination) {
      const found = await configured(examination)
      if (found === undefined) return [skipped('broker.persistence', UNSEEN)]
      if (found.options.get('persistence') === 'true')
        return [ok('broker.persistence', `${found.file}: what the broker holds survives its restart`)]
      return [
        warn('broker.persistence', 'the broker forgets everything when it restarts', {
          why: `${found.file} has no "persistence true": ledgers, sessions and what is queued for the bridge are gone then`,
          fix: 'set persistence true, persistence_location and autosave_interval 60 as deploy/mosquitto.conf does, and restart it',
        }),
      ]
    },
  },
  {
    id: 'broker.queue',
    side: 'bridge',
    needs: ['address'],
    async run(examination) {
      const found = await configured(examination)
      if (found === undefined) return [skipped('broker.queue', UNSEEN)]
      const limit = Number(found.options.get('max_queued_messages') ?? DEFAULT_QUEUE)
      const what = `the broker queues ${limit === 0 ? 'any number of' : limit} messages for a bridge that is away`
      if (limit === 0 || limit >= ENOUGH) return [ok('broker.queue', what)]
      return [
        warn('broker.queue', what, {
          why: 'what is more it drops without a word; the Pis send that again, but live readings come late',
          fix: `set max_queued_messages 500000 in ${found.file}, as deploy/mosquitto.conf does`,
        }),
      ]
    },
  },
]
