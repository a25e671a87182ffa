import { VERSION } from '../../src/version.ts'
import type { Invocation } from '../command.ts'
import { type Check, runChecks } from './check.ts'
import { CHECKS } from './checks.ts'
import { Examination } from './examination.ts'
import { type Finding, type FindingId, GROUPS, groupOf } from './finding.ts'
import { Report, secretsRemover, summaryOf } from './report.ts'
import { sidesOf } from './sides.ts'

/** `snowhat doctor`: 0 when nothing is broken, 1 when something is. */
export async function runDoctor(invocation: Invocation, checks: readonly Check[] = CHECKS): Promise<number> {
  const { settings, problems, flags, clock, log, random, stop, print, output } = invocation
  const sides = await sidesOf(settings, { pi: flags.pi === true, bridge: flags.bridge === true })
  const examination = new Examination({
    settings,
    problems,
    configFile: typeof flags.config === 'string' ? flags.config : undefined,
    sides,
    canary: flags['no-canary'] !== true,
    clock,
    log,
    random,
    stop,
  })
  const clean = secretsRemover(settings)
  const report = flags.json === true ? undefined : new Report(output)
  const findings: Finding[] = []
  try {
    const running = runChecks(checks, examination)
    for (const [id, end] of inOrderOfReport(checks, running)) {
      report?.progress(`looking at ${id} …`)
      const cleaned = (await end).map(clean)
      findings.push(...cleaned)
      report?.add(cleaned)
    }
  } finally {
    await examination.close()
  }
  const summary = summaryOf(findings)
  report?.end(summary)
  if (flags.json === true)
    print(
      JSON.stringify({ version: VERSION, sides: [...sides], findings, ...summary, first: summary.first?.id ?? null }),
    )
  return summary.broken > 0 ? 1 : 0
}

/** Group by group; within one as they are listed. */
function inOrderOfReport<T>(checks: readonly Check[], running: readonly T[]): [FindingId, T][] {
  const all = checks.map(({ id }, i): [FindingId, T] => [id, running[i] as T])
  return GROUPS.flatMap((group) => all.filter(([id]) => groupOf(id) === group))
}
