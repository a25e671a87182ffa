import { expect, it } from 'vitest'
import type { ChannelStatus } from '../../../bridge/snowpipe/status.ts'
import { Examination } from '../../../cli/doctor/examination.ts'
import { rowErrorChecks } from '../../../cli/doctor/snowflake/error-table.ts'
import { allSections } from '../../../cli/sections.ts'
import { loadSettings } from '../../../src/config.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const good: ChannelStatus = {
  code: 'SUCCESS',
  committed: 'a',
  createdOnMs: 1,
  rowsParsed: 3,
  rowsErrorCount: 0,
  lastErrorMessage: null,
}

async function judged(channels: ReadonlyMap<string, ChannelStatus>) {
  const examination = new Examination({
    settings: await loadSettings(allSections, { env: {}, args: new Map() }),
    problems: [],
    configFile: undefined,
    sides: new Set(['bridge'] as const),
    canary: false,
    clock: new ManualClock(),
    log: silentLog(),
    random: () => 0.5,
    stop: new AbortController().signal,
  })
  examination.give('table', { name: 'DEMO.DEMO.T', plain: 'T' })
  const path = { database: 'DEMO', schema: 'DEMO', pipe: 'P' }
  examination.give('pipes', [{ path, channels }])
  const check = rowErrorChecks.find(({ id }) => id === 'snowflake.row-errors')
  return check?.run(examination, examination.stop)
}

it('rows that could not be stored are told of by device, with the last reason and where their text is', async () => {
  const bad = { ...good, rowsErrorCount: 2, lastErrorMessage: 'NULL result in a non-nullable column' }
  expect(
    await judged(
      new Map([
        ['pi-attic', bad],
        ['pi-cellar', good],
      ]),
    ),
  ).toMatchObject([
    {
      status: 'warn',
      what: 'Snowflake could not store 2 rows of pi-attic since their channels are there',
      why: 'the last of pi-attic: NULL result in a non-nullable column',
      fix: expect.stringContaining('ERROR_TABLE(DEMO.DEMO.T)'),
    },
  ])
  expect(await judged(new Map([['pi-cellar', good]]))).toMatchObject([{ status: 'ok' }])
  expect(await judged(new Map())).toMatchObject([{ status: 'skipped' }])
})
