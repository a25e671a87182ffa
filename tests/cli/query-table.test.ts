import { describe, expect, it } from 'vitest'
import { renderJson, renderTable } from '../../cli/query/table.ts'

const result = {
  columns: [
    { name: 'HOSTNAME', type: 'TEXT' },
    { name: 'N', type: 'FIXED' },
    { name: 'AVG_T', type: 'REAL' },
  ],
  rows: [
    ['pi-kitchen', '1200', '21.5'],
    ['pi', '7', null],
  ],
}

describe('the answer to a query', () => {
  it('is a table: text to the left, numbers to the right, null named', () => {
    expect(renderTable(result)).toBe(
      [
        'HOSTNAME       N  AVG_T',
        '----------  ----  -----',
        'pi-kitchen  1200   21.5',
        'pi             7   NULL',
        '(2 rows)',
      ].join('\n'),
    )
  })

  it('counts its rows, one and none', () => {
    expect(renderTable({ ...result, rows: result.rows.slice(1) })).toMatch(/\n\(1 row\)$/)
    expect(renderTable({ ...result, rows: [] })).toMatch(/\n\(0 rows\)$/)
    expect(renderTable({ columns: [], rows: [] })).toContain('(0 rows)')
  })

  it('keeps a long or broken value on one line', () => {
    const long = renderTable({
      columns: [{ name: 'J', type: 'VARIANT' }],
      rows: [[`{\n  "a": "${'x'.repeat(100)}"\n}`]],
    }).split('\n')
    expect(long).toHaveLength(4)
    expect(long[2]).toHaveLength(60)
    expect(long[2]?.endsWith('…')).toBe(true)
  })

  it('is one JSON object per row when asked for', () => {
    expect(
      renderJson(result)
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { HOSTNAME: 'pi-kitchen', N: '1200', AVG_T: '21.5' },
      { HOSTNAME: 'pi', N: '7', AVG_T: null },
    ])
  })
  it('is nothing at all in JSON where there is no row', () => {
    expect(renderJson({ ...result, rows: [] })).toBe('')
  })
})
