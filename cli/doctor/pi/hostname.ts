import { hintOf, messageOf } from '../../../src/errors.ts'
import type { Check } from '../check.ts'
import { broken, ok } from '../finding.ts'
import { ownHostname } from './own-hostname.ts'

export const hostnameCheck: Check = {
  id: 'pi.hostname',
  side: 'pi',
  async run({ settings }) {
    try {
      return [ok('pi.hostname', `this Pi is ${await ownHostname(settings)}: topic, channel and user at the broker`)]
    } catch (error) {
      return [broken('pi.hostname', messageOf(error), { fix: hintOf(error) ?? 'set SNOWHAT_PUBLISHER_HOSTNAME' })]
    }
  },
}
