import { outboxStatus } from '../../../publisher/outbox-status.ts'
import { counted } from '../../../src/counted.ts'
import { SnowhatError } from '../../../src/errors.ts'
import type { Check } from '../check.ts'
import { type Finding, ok, skipped, warn } from '../finding.ts'

/** Of the limit; then a person should look before readings are given up. */
const NEARLY_FULL = 0.8

/** Reads only: a publisher may be running on it. */
export const outboxCheck: Check = {
  id: 'pi.outbox',
  side: 'pi',
  pointless: ({ settings }) => (settings.publisher.outbox_dir === '' ? 'it is in memory' : undefined),
  async run({ settings }): Promise<Finding[]> {
    const { outbox_dir, outbox_limit } = settings.publisher
    let status: Awaited<ReturnType<typeof outboxStatus>>
    try {
      status = await outboxStatus(outbox_dir)
    } catch (error) {
      if (error instanceof SnowhatError && error.code === 'E_LOG_IO') return [skipped('pi.outbox', error.message)]
      throw error
    }
    const { readings, oldest, running, damaged, unsynced } = status
    const since = oldest === null ? '' : `, since ${oldest}`
    const what = `${counted(readings, 'reading')} wait${since}; ${running === null ? 'no publisher runs' : `${running} runs`} on it`
    if (damaged.length > 0)
      return [
        warn('pi.outbox', `${what}; damaged files: ${damaged.join(', ')}`, {
          why: 'the card gave back other bytes than were written',
          fix: 'replace the card before it takes more: docs/operations.md, "Lost and full disks"',
        }),
      ]
    if (readings > outbox_limit * NEARLY_FULL)
      return [
        warn('pi.outbox', what, {
          why: `at ${outbox_limit} the oldest are given up`,
          fix: 'find out why nothing gets into the table (bridge.alive, broker.access-missing), or raise SNOWHAT_PUBLISHER_OUTBOX_LIMIT',
        }),
      ]
    if (unsynced > 0 && running === null)
      return [
        warn('pi.outbox', `${what}; ${unsynced} were taken by a clock that was not set`, {
          fix: 'start the publisher, which corrects them',
        }),
      ]
    return [ok('pi.outbox', what)]
  },
}
