import { z } from 'zod'
import { VERSION } from '../../../src/version.ts'
import type { Check } from '../check.ts'
import { broken, type Finding, ok, skipped, warn } from '../finding.ts'

/** Of the retained health, what is looked at. */
const Health = z.object({
  alerts: z.record(z.string(), z.boolean()),
  problem_reasons: z.array(z.string()),
  reasons: z.array(z.object({ code: z.string(), message: z.string() })),
  rows_waiting: z.number(),
  lag_seconds: z.number(),
  dead_letters: z.number(),
  last_commit_at: z.string().nullable(),
})

const FIX =
  'begin with whatever else is broken here; once that is mended the bridge goes on by itself, within minutes. docs/operations.md, "When something is red", goes through it step by step; snowhat ledger shows each device'

export const bridgeHealthChecks: readonly Check[] = [
  {
    id: 'bridge.health',
    side: 'bridge',
    needs: ['heard'],
    async run(examination): Promise<Finding[]> {
      const { health, availability } = examination.take('heard')
      if (availability !== 'online') return [skipped('bridge.health', 'no bridge is online that could say so')]
      const read = Health.safeParse(health)
      if (!read.success)
        return [
          skipped(
            'bridge.health',
            'the broker holds no health of a bridge of this version, or this user may not read it',
          ),
        ]
      const { alerts, problem_reasons, reasons, rows_waiting, lag_seconds, dead_letters, last_commit_at } = read.data
      const what = `${rows_waiting} rows wait, the oldest ${lag_seconds} s; last commit ${last_commit_at ?? 'never'}`
      const findings = reasons.map(({ code, message }) =>
        broken('bridge.health', `${code}: ${message}`, { why: what, fix: FIX }),
      )
      const standing = Object.keys(alerts).filter(
        (code) => alerts[code] && !reasons.some((reason) => reason.code === code),
      )
      if (standing.length > 0)
        findings.push(warn('bridge.health', standing.join(', '), { why: problem_reasons.join('; '), fix: FIX }))
      if (dead_letters > 0)
        findings.push(
          warn('bridge.health', `${dead_letters} messages could not be read and are kept`, {
            fix: 'snowhat deadletters list on the bridge’s machine says which and why',
          }),
        )
      return findings.length > 0 ? findings : [ok('bridge.health', what)]
    },
  },
  {
    id: 'bridge.version',
    needs: ['heard'],
    async run(examination) {
      const version = examination.take('heard').bridge?.version ?? ''
      if (version === '') return [skipped('bridge.version', 'the broker holds no word of a bridge')]
      if (version === VERSION) return [ok('bridge.version', `the bridge is ${version}, as this is`)]
      const fix = 'bring both to the same version when there is time, the bridge first: docs/upgrading.md'
      return [warn('bridge.version', `the bridge is ${version}, and this is ${VERSION}`, { fix })]
    },
  },
]
