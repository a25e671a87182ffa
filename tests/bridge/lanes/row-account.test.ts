import { describe, expect, it } from 'vitest'
import { countsOf, settle } from '../../../bridge/lanes/row-account.ts'
import type { ChannelStatus } from '../../../bridge/snowpipe/status.ts'

function status(rowsParsed: number, rowsErrorCount = 0): ChannelStatus {
  return { code: 'SUCCESS', committed: null, createdOnMs: 1, rowsParsed, rowsErrorCount, lastErrorMessage: null }
}

describe('the account of rows', () => {
  it('agrees when as many were parsed as are about to leave, whatever the counts stood at before', () => {
    expect(settle(7, countsOf(status(1_000)), status(1_007))).toEqual({ rejected: 0, disagreement: undefined })
  })

  it('disagrees when rows were thrown away without a word, and when there are more than were sent', () => {
    expect(settle(7, countsOf(status(1_000)), status(1_004)).disagreement).toBe(
      '7 rows were sent up to here and 4 were parsed',
    )
    expect(settle(7, countsOf(status(1_000)), status(1_008)).disagreement).toMatch(/7 rows .* 8 were parsed/)
  })

  it('counts rejected rows once: the count of a channel never goes back', () => {
    const before = countsOf(status(10, 3))
    expect(settle(5, before, status(15, 5)).rejected).toBe(2)
    expect(settle(5, countsOf(status(15, 5)), status(20, 5)).rejected).toBe(0)
  })
})
