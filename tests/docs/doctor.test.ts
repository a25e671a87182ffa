import { expect, it } from 'vitest'
import { CHECKS } from '../../cli/doctor/checks.ts'
import { FINDINGS, GROUPS, groupOf } from '../../cli/doctor/finding.ts'
import { rowsBelow } from './markdown.ts'

const PAGE = 'docs/doctor.md'
const ids = Object.keys(FINDINGS) as (keyof typeof FINDINGS)[]

it("the doctor's page lists every finding in the order of the report, with what it is about", () => {
  const rows = rowsBelow(PAGE, 'What it looks at')
  expect(rows.map(([id, about]) => [id, about])).toEqual(ids.map((id) => [`\`${id}\``, FINDINGS[id]]))
})

it('findings stand group by group, and every check makes one of them', () => {
  const groups = ids.map(groupOf)
  expect(groups).toEqual([...groups].sort((a, b) => GROUPS.indexOf(a) - GROUPS.indexOf(b)))
  for (const { id } of CHECKS) expect(ids).toContain(id)
})
