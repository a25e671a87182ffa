import type { emulated } from './harness.ts'

/** The default pipes of the tables of phones. */
export const PHONE_PIPES = {
  record: 'databases/ACTIVITY_DB/schemas/RAW_DATA/pipes/ACTIVITY_RECORDS-STREAMING',
  activity: 'databases/ACTIVITY_DB/schemas/PROCESSED_DATA/pipes/USER_ACTIVITY_PROCESSED-STREAMING',
} as const
export type PhoneTable = keyof typeof PHONE_PIPES

/** Puts rows into one of the tables, all of them through one channel; returns when they are there. */
export async function putPhoneRows(
  { client, clock }: Pick<Awaited<ReturnType<typeof emulated>>, 'client' | 'clock'>,
  table: PhoneTable,
  rows: readonly object[],
): Promise<void> {
  const pipe = PHONE_PIPES[table]
  const token = (await client.open('phones', {}, pipe)).json.next_continuation_token
  await client.append('phones', token, [...rows], { pipe })
  await clock.advance(1000)
  await client.status(['phones'], pipe)
}
