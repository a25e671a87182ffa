import { readSpoolSnapshot } from '../../../bridge/spool/spool-snapshot.ts'
import { counted } from '../../../src/counted.ts'
import { lookAtLog } from '../../../src/durable-log/look.ts'
import { nodeFileSystem } from '../../../src/durable-log/node-filesystem.ts'
import { lockOwner } from '../../../src/durable-log/node-lock.ts'
import { systemCode } from '../../../src/errors.ts'
import type { Check } from '../check.ts'
import { type Finding, ok, skipped, warn } from '../finding.ts'

/** Reads only: a bridge may be running on it. */
export const spoolCheck: Check = {
  id: 'bridge.spool',
  side: 'bridge',
  pointless: ({ settings }) => (settings.spool.dir === '' ? 'it is in memory' : undefined),
  async run({ settings }): Promise<Finding[]> {
    const { dir, max_bytes } = settings.spool
    const fs = nodeFileSystem()
    try {
      const [log, snapshot, owner] = await Promise.all([lookAtLog(fs, dir), readSpoolSnapshot(fs, dir), lockOwner(dir)])
      if (log.segments === 0) return [skipped('bridge.spool', 'it is empty: no bridge has run on it yet')]
      const devices = Object.keys(snapshot?.devices ?? {}).length
      const runs = owner === undefined ? 'no bridge runs on it' : `the bridge ${owner} runs on it`
      const what = `${counted(devices, 'device')}, ${log.bytes} bytes in ${counted(log.segments, 'file')}; ${runs}`
      if (log.evidence.length > 0)
        return [
          warn('bridge.spool', `${what}; damaged files were set aside: ${log.evidence.join(', ')}`, {
            why: 'the disk gave back other bytes than were written; the Pis have sent those rows again',
            fix: 'look at the disk (dmesg, smartctl), and remove those files when nobody wants to look at them any more',
          }),
        ]
      if (log.bytes > max_bytes * 0.8)
        return [
          warn('bridge.spool', what, {
            why: `it takes ${max_bytes} bytes`,
            fix: 'find out what holds the rows back: snowhat ledger',
          }),
        ]
      return [ok('bridge.spool', what)]
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [skipped('bridge.spool', 'it is not there yet')]
      throw error
    }
  },
}
