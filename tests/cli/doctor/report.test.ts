import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { broken, ok, skipped, warn } from '../../../cli/doctor/finding.ts'
import { Report, summaryOf } from '../../../cli/doctor/report.ts'

const words = 'one two three four five six seven eight nine ten '.repeat(4).trim()
const finding = broken('snowflake.pipe', words, { why: words, fix: words, sql: `SELECT '${words}';` })

function written(output: { isTTY?: boolean; columns?: number }): string[] {
  const text: string[] = []
  const report = new Report({ ...output, write: (part: string) => text.push(part) })
  report.add([finding, skipped('snowflake.gaps', words)])
  report.end(summaryOf([finding]))
  return stripVTControlCharacters(text.join('')).split('\n')
}

describe('the report', () => {
  it('keeps to the width of a terminal, and never breaks a statement', () => {
    const lines = written({ isTTY: true, columns: 80 })
    for (const line of lines) if (!line.includes('SELECT')) expect(line.length).toBeLessThanOrEqual(80)
    expect(lines.filter((line) => line.includes(`SELECT '${words}';`))).toHaveLength(1)
    expect(lines.join(' ').replace(/\s+/g, ' ')).toContain(`why ${words} fix ${words}`)
  })

  it('writes each sentence in one line where nobody looks, so that it can be searched', () => {
    expect(written({}).filter((line) => line.endsWith(words))).toHaveLength(5)
  })
})

describe('the one to begin with', () => {
  const health = broken('bridge.health', 'blocked', {})
  const grants = broken('snowflake.grants', 'a grant is missing', {})
  const first = (...findings: Parameters<typeof summaryOf>[0]) => summaryOf(findings).first?.id

  it('is what is nearest', () => expect(first(broken('broker.tls', 'x', {}), grants)).toBe('broker.tls'))
  it('is a cause, where what follows from it is nearer', () => expect(first(health, grants)).toBe('snowflake.grants'))
  it('is a consequence, where nothing explains it', () => expect(first(health)).toBe('bridge.health'))
  it('is a warning only where nothing is broken', () => {
    const slow = warn('machine.disk-sync', 'slow', {})
    expect(first(slow, health)).toBe('bridge.health')
    expect(first(ok('broker.tls', 'fine'), slow)).toBe('machine.disk-sync')
  })
})
