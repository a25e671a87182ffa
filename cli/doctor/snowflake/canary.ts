import { randomUUID } from 'node:crypto'
import { compressed } from '../../../bridge/compression.ts'
import { codeOf } from '../../../bridge/snowpipe/answer.ts'
import type { ChannelPath, Outcome, Snowpipe } from '../../../bridge/snowpipe/client.ts'
import { randomId } from '../../../src/random-id.ts'
import { timesOf } from '../../../src/reading.ts'
import type { Check } from '../check.ts'
import type { Examination } from '../examination.ts'
import { broken, type Finding, ok, warn } from '../finding.ts'
import { rowsIfAllowed } from './signed-in.ts'

/** No hostname has a dot, and no route may have this name: it is no device's channel. One name, so that nothing piles up. */
const CHANNEL = 'doctor.canary'
/** What its identity begins with. It has no hostname, so no view of devices knows it. */
const CANARY = 'doctor-canary'
const LOOK_MS = 200
/** Of the check's ten seconds. */
const WAIT_MS = 8_500

/** A row on the way of every reading, in a channel of its own that is dropped again. It has no stream, so no gap can come of it. */
export const canaryCheck: Check = {
  id: 'snowflake.canary',
  side: 'bridge',
  needs: ['pipes', 'account', 'table'],
  pointless: ({ canary }) => (canary ? undefined : 'it was asked for none (--no-canary)'),
  async run(examination, signal): Promise<Finding[]> {
    const { snowpipe } = examination.take('account')
    const [pipe] = examination.take('pipes')
    if (pipe === undefined) throw new Error('there is no pipe')
    const path: ChannelPath = { pipe: pipe.path, channel: CHANNEL }
    try {
      return [await sendOne(snowpipe, path, examination, signal)]
    } finally {
      await snowpipe.drop(path)
    }
  },
}

async function sendOne(
  snowpipe: Snowpipe,
  path: ChannelPath,
  examination: Examination,
  signal: AbortSignal,
): Promise<Finding> {
  const { clock } = examination
  const uuid = `${CANARY}-${randomId(8)}`
  const opened = await snowpipe.open(path, false)
  if (opened.verdict !== 'ok') return refused('opened', opened)
  const before = clock.monotonic()
  const row = Buffer.from(`${JSON.stringify(canaryRow(uuid, clock.now()))}\n`)
  const appended = await snowpipe.append(path, {
    requestId: randomUUID(),
    continuationToken: opened.value.continuationToken,
    startOffsetToken: uuid,
    endOffsetToken: uuid,
    encoding: 'gzip',
    body: await compressed(row, 'gzip'),
    bytes: row.length,
  })
  if (appended.verdict !== 'ok') return refused('written to', appended)
  const taken = clock.monotonic() - before
  while (clock.monotonic() - before < WAIT_MS && !signal.aborted) {
    await clock.sleep(LOOK_MS, signal)
    const asked = await snowpipe.status(path.pipe, [CHANNEL])
    const status = asked.verdict === 'ok' ? asked.value.get(CHANNEL) : undefined
    if (status?.committed !== uuid) continue
    const committed = clock.monotonic() - before
    if (status.rowsErrorCount > 0) return rejected(status.lastErrorMessage)
    return ok(
      'snowflake.canary',
      `a row was taken in ${Math.round(taken)} ms and is in the table after ${seconds(committed)}${await seen(uuid, examination)}`,
      {
        why: `it stays there without a hostname, with a uuid that begins with ${CANARY}`,
      },
    )
  }
  return warn(
    'snowflake.canary',
    `a row was taken in ${Math.round(taken)} ms, and is not in the table after ${seconds(WAIT_MS)}`,
    {
      why: 'it takes 1 to 10 s as a rule, and longer for Iceberg tables',
      fix: 'run it again; if it stays so, the pipe or its table was replaced while it is in use, or Snowflake is late: status.snowflake.com',
    },
  )
}

/** What a reading must have, and nothing measured. */
function canaryRow(uuid: string, now: number): Record<string, unknown> {
  const { ts, datetimestamp, systemtime, compact } = timesOf(now)
  const at = new Date(now).toISOString()
  return {
    uuid,
    rowid: `${compact}_${uuid}`,
    ts,
    datetimestamp,
    systemtime,
    simulated: true,
    bridge_received_at: at,
    ingestion_timestamp: at,
  }
}

/** Whether it can be read: not every role may. */
async function seen(uuid: string, examination: Examination): Promise<string> {
  const account = examination.take('account')
  const { name } = examination.take('table')
  const rows = await rowsIfAllowed(
    account,
    `SELECT COUNT(*) AS N FROM ${name} WHERE uuid = '${uuid}'`,
    examination.clock,
  )
  if (rows === undefined) return ''
  return rows[0]?.n === '1' ? ', and was read back' : ', but is not found there'
}

function refused(what: string, outcome: Exclude<Outcome<unknown>, { verdict: 'ok' }>): Finding {
  const { answer } = outcome
  return broken('snowflake.canary', `the channel could not be ${what}: ${answer.message} (${codeOf(answer)})`, {
    fix: 'what stands above on pipe and grants says why; docs/errors.md, "What Snowflake answers"',
  })
}

function rejected(message: string | null): Finding {
  return broken('snowflake.canary', `Snowflake could not store the row: ${message ?? 'it does not say why'}`, {
    why: 'readings will fail in the same way',
    fix: 'snowflake.columns names the column; ERROR_TABLE has the row',
  })
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
