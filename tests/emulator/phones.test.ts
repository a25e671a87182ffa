import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ACTIVITY_COLUMNS, PHONE_RECORD_COLUMNS } from '../../src/phone-records.ts'
import { ENVELOPE, SQL_TYPES, type TableColumn } from '../../src/table-columns.ts'
import { emulated } from './harness.ts'
import { type PhoneTable, putPhoneRows } from './phone-tables.ts'

const SQL = readFileSync(fileURLToPath(new URL('../../sql/phones.sql', import.meta.url)), 'utf8')
const TABLES: Readonly<Record<string, readonly TableColumn[]>> = {
  'RAW_DATA.ACTIVITY_RECORDS': [...PHONE_RECORD_COLUMNS, ...ENVELOPE],
  'PROCESSED_DATA.USER_ACTIVITY_PROCESSED': [...ACTIVITY_COLUMNS, ...ENVELOPE],
}

describe('the tables of phones', () => {
  it.each(Object.entries(TABLES))(
    '%s has the columns of its rows, in their order, with their meaning',
    (name, columns) => {
      const [, body = ''] =
        new RegExp(`CREATE TABLE IF NOT EXISTS ACTIVITY_DB\\.${name} \\(\\n([\\s\\S]*?)\\n\\);`).exec(SQL) ?? []
      const written = body.split('\n').map((line) => {
        const [, column, type, doc] = /^ {2}(\S+) +([A-Z_]+(?:\(\d+,\d+\))?),? +-- (.*)$/.exec(line) ?? []
        return [column, type, doc]
      })
      expect(written).toEqual(
        columns.map(({ key, kind, doc }) => [key.toLowerCase(), SQL_TYPES[kind], doc.replaceAll('`', '')]),
      )
    },
  )

  it.each(Object.entries(TABLES))(
    '%s is there when the emulator starts, and keeps the rows that did not fit',
    async (name, columns) => {
      const { client } = await emulated()
      const { json } = await client.sql(`DESCRIBE TABLE ACTIVITY_DB.${name}`)
      expect(json.data.map(([column]: string[]) => column)).toEqual(columns.map(({ key }) => key.toUpperCase()))
      expect((await client.sql(`SELECT COUNT(*) FROM ERROR_TABLE(ACTIVITY_DB.${name})`)).json.data).toEqual([['0']])
    },
  )
})

type Row = readonly [stream: string, seq: number, after?: string | undefined, more?: Readonly<Record<string, unknown>>]

const rowsOf = (kind: PhoneTable, rows: readonly Row[], device = 'phone-a') =>
  rows.map(([stream, seq, after, more]) => ({
    uuid: `${kind === 'record' ? 'phone' : 'activity'}.${device}-${stream}-${seq}`,
    device,
    stream,
    seq,
    ...(after === undefined ? {} : { after }),
    ...more,
  }))

/** What the view shows when these rows are in the two tables. */
async function shown(
  view: string,
  activity: readonly object[],
  record: readonly object[] = [],
): Promise<readonly (readonly (string | null)[])[]> {
  const world = await emulated()
  await putPhoneRows(world, 'activity', activity)
  await putPhoneRows(world, 'record', record)
  const { json } = await world.client.sql(view)
  return json.data
}

const GAPS = `SELECT kind, device, stream, first_seq, last_seq, missing, declared
  FROM ACTIVITY_DB.PROCESSED_DATA.ACTIVITY_GAPS ORDER BY kind, device, stream, first_seq`
const gaps = (rows: readonly Row[]) => shown(GAPS, rowsOf('activity', rows))

describe('ACTIVITY_GAPS', () => {
  it('is empty when every row is there, in any order, twice or once', async () => {
    expect(
      await gaps([
        ['a', 1, 'a.0'],
        ['a', 3],
        ['a', 2],
        ['a', 2],
        ['b', 1, 'a.3'],
        ['b', 2],
      ]),
    ).toEqual([])
  })

  it('shows a hole as lost', async () => {
    expect(
      await gaps([
        ['a', 1, 'a.0'],
        ['a', 2],
        ['a', 5],
        ['a', 7],
      ]),
    ).toEqual([
      ['activity', 'phone-a', 'a', '3', '4', '2', 'false'],
      ['activity', 'phone-a', 'a', '6', '6', '1', 'false'],
    ])
  })

  it('shows as declared what the next row, or a later one, says was given up', async () => {
    const declared = [['activity', 'phone-a', 'a', '3', '4', '2', 'true']]
    expect(
      await gaps([
        ['a', 1, 'a.0'],
        ['a', 2],
        ['a', 5, 'a.2'],
      ]),
    ).toEqual(declared)
    expect(
      await gaps([
        ['a', 1, 'a.0'],
        ['a', 2],
        ['a', 5],
        ['a', 6],
        ['a', 7, 'a.2'],
      ]),
    ).toEqual(declared)
  })

  it('does not take an earlier row for that, and parts a gap of which only the end was given up', async () => {
    expect(
      await gaps([
        ['a', 1, 'a.0'],
        ['a', 3, 'a.1'],
        ['a', 5],
      ]),
    ).toEqual([
      ['activity', 'phone-a', 'a', '2', '2', '1', 'true'],
      ['activity', 'phone-a', 'a', '4', '4', '1', 'false'],
    ])
    expect(
      await gaps([
        ['a', 1, 'a.0'],
        ['a', 6, 'a.3'],
      ]),
    ).toEqual([
      ['activity', 'phone-a', 'a', '2', '3', '2', 'false'],
      ['activity', 'phone-a', 'a', '4', '5', '2', 'true'],
    ])
  })

  it('shows a stream that does not begin with 1, unless its first row says that what was before it is given up', async () => {
    expect(
      await gaps([
        ['a', 3],
        ['a', 4],
      ]),
    ).toEqual([['activity', 'phone-a', 'a', '1', '2', '2', 'false']])
    expect(
      await gaps([
        ['a', 3, 'a.0'],
        ['a', 4],
      ]),
    ).toEqual([['activity', 'phone-a', 'a', '1', '2', '2', 'true']])
    expect(
      await gaps([
        ['b', 3, 'a.9'],
        ['b', 4],
      ]),
    ).toEqual([['activity', 'phone-a', 'b', '1', '2', '2', 'true']])
  })

  it('reads past an `after` that makes no sense', async () => {
    expect(
      await gaps([
        ['a', 1, 'a.x'],
        ['a', 4, 'a.12'],
      ]),
    ).toEqual([['activity', 'phone-a', 'a', '2', '3', '2', 'false']])
  })

  it('keeps kinds and phones apart', async () => {
    const activity = [
      ...rowsOf('activity', [
        ['a', 1],
        ['a', 3],
      ]),
      ...rowsOf(
        'activity',
        [
          ['a', 1],
          ['a', 2],
        ],
        'phone-b',
      ),
    ]
    const record = rowsOf('record', [
      ['a', 1],
      ['a', 4],
    ])
    expect(await shown(GAPS, activity, record)).toEqual([
      ['activity', 'phone-a', 'a', '2', '2', '1', 'false'],
      ['record', 'phone-a', 'a', '2', '3', '2', 'false'],
    ])
  })

  it('counts a replayed dead letter as present: it bears its identity under another stream', async () => {
    expect(
      await gaps([
        ['a', 1],
        ['a', 3],
        ['bridge00', 1, undefined, { uuid: 'activity.phone-a-a-2' }],
      ]),
    ).toEqual([])
  })
})

it('ACTIVITY_DUPLICATES shows what is in a table more than once, and a number that both tables have is none', async () => {
  const view = 'SELECT uuid, device, copies FROM ACTIVITY_DB.PROCESSED_DATA.ACTIVITY_DUPLICATES'
  const once: readonly Row[] = [
    ['a', 1],
    ['a', 2],
  ]
  expect(await shown(view, rowsOf('activity', once), rowsOf('record', once))).toEqual([])
  const twice: readonly Row[] = [...once, ['a', 2]]
  expect(await shown(view, rowsOf('activity', once), rowsOf('record', twice))).toEqual([
    ['phone.phone-a-a-2', 'phone-a', '2'],
  ])
})

it('ACTIVITY_LATEST has one row a phone: its newest window, whenever it came', async () => {
  const at = (second: number, activity: string) => ({ window_end: `2026-11-22T12:00:${second}Z`, activity })
  const rows = [
    ...rowsOf('activity', [
      ['a', 1, undefined, at(10, 'walking')],
      ['a', 2, undefined, at(14, 'running')],
      ['a', 3, undefined, at(12, 'stationary')],
    ]),
    ...rowsOf('activity', [['a', 1, undefined, at(11, 'sprinting')]], 'phone-b'),
  ]
  const view = 'SELECT device, activity FROM ACTIVITY_DB.PROCESSED_DATA.ACTIVITY_LATEST ORDER BY device'
  expect(await shown(view, rows)).toEqual([
    ['phone-a', 'running'],
    ['phone-b', 'sprinting'],
  ])
})
