import { describe, expect, it } from 'vitest'
import { type FrozenBatch, freezeBatch } from '../../../bridge/lanes/batch.ts'
import { RowAccount } from '../../../bridge/lanes/row-account.ts'
import { type ChannelStatus, readChannelStatus } from '../../../bridge/snowpipe/status.ts'

const status = (rows_parsed: number, rows_error_count = 0): ChannelStatus =>
  readChannelStatus({ rows_parsed, rows_error_count })

const token = (seq: number) => ({ ordinal: 1, owner: 'own1', stream: 'aaaaaaaa', seq })

function batch(first: number, last: number): Promise<FrozenBatch> {
  const rows = Array.from({ length: last - first + 1 }, (_, i) => ({
    token: token(first + i),
    json: '{"uuid":"x"}',
    receivedAt: 0,
    arrived: 0,
    record: 0,
  }))
  return freezeBatch(rows, '0_0', 0)
}

describe('the account of rows', () => {
  it('agrees when as many were parsed as were sent since the opening', async () => {
    const account = new RowAccount(status(1_000))
    account.appended(await batch(1, 3))
    account.appended(await batch(4, 6))
    expect(account.batches).toBe(2)
    expect(account.settle(token(3), status(1_003))).toEqual({ rejected: 0, disagreement: undefined })
    expect(account.batches).toBe(1)
    expect(account.settle(token(6), status(1_006)).disagreement).toBeUndefined()
    expect(account.batches).toBe(0)
  })

  it('settles several batches that committed at once', async () => {
    const account = new RowAccount(status(0))
    for (const [first, last] of [
      [1, 3],
      [4, 6],
      [7, 9],
    ] as const)
      account.appended(await batch(first, last))
    expect(account.settle(token(6), status(6)).disagreement).toBeUndefined()
    expect(account.batches).toBe(1)
  })

  it.each([0, 2, 4])('disagrees when %i of 3 rows were parsed', async (parsed) => {
    const account = new RowAccount(status(10))
    account.appended(await batch(1, 3))
    expect(account.settle(token(3), status(10 + parsed)).disagreement).toBe(
      `3 rows were sent up to here and ${parsed} were parsed`,
    )
  })

  it('counts nothing inside a batch, and everything at its end', async () => {
    const account = new RowAccount(status(0))
    account.appended(await batch(1, 3))
    expect(account.settle(token(2), status(2)).disagreement).toBeUndefined()
    expect(account.batches).toBe(1)
    expect(account.settle(token(3), status(2)).disagreement).toBeDefined()
  })

  it('reports only the growth of the errors since the opening, each once', async () => {
    const account = new RowAccount(status(100, 7))
    account.appended(await batch(1, 3))
    account.appended(await batch(4, 6))
    expect(account.settle(token(3), status(103, 9)).rejected).toBe(2)
    expect(account.settle(token(6), status(106, 9)).rejected).toBe(0)
  })
})
