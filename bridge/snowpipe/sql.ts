import type { Clock } from '../../src/clock.ts'
import { type ErrorCode, SnowhatError } from '../../src/errors.ts'
import type { SnowflakeSettings } from '../config.ts'
import { accountHost } from './account.ts'
import { type Answer, fieldOf } from './answer.ts'
import { createIdentity, type Identity } from './credentials.ts'
import { createDispatcher } from './dispatcher.ts'
import { Transport } from './transport.ts'

/** A result set; every value as Snowflake sends it: text, or null. */
export interface ResultSet {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly (string | null)[])[]
}

const TIMEOUT_MS = 120_000
const POLL_MS = 500

/** Runs one statement over the SQL REST API (`POST /api/v2/statements`) [documented]. Throws `E_SQL`, or why there is no way to Snowflake. */
export async function runStatement(
  settings: SnowflakeSettings,
  statement: string,
  clock: Clock,
  identity: Identity = createIdentity(settings, clock),
): Promise<ResultSet> {
  const base = settings.url !== '' ? settings.url : `https://${accountHost(settings.account)}`
  let credential = await identity.credential()
  const transport = new Transport(createDispatcher(settings), clock)
  const call = async (method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> => {
    const answer = await transport.call(new URL(path, base), {
      method,
      timeoutMs: TIMEOUT_MS,
      headers: {
        authorization: `Bearer ${credential.token}`,
        'x-snowflake-authorization-token-type': credential.kind,
        'content-type': 'application/json',
      },
      ...(body !== undefined && { body }),
    })
    if (answer.status === undefined) throw unreachable(base, answer)
    return answer
  }
  try {
    const { database, schema, role } = settings
    const body = JSON.stringify({
      statement,
      database,
      schema,
      timeout: TIMEOUT_MS / 1000,
      ...(role !== '' && { role }),
    })
    let answer = await call('POST', '/api/v2/statements', body)
    if (answer.status === 401 && (await identity.refused(answer))) {
      credential = await identity.credential()
      answer = await call('POST', '/api/v2/statements', body)
    }
    // 202: still running; the handle is asked until it is done.
    while (answer.status === 202) {
      await clock.sleep(POLL_MS)
      answer = await call('GET', `/api/v2/statements/${fieldOf(answer.body, 'statementHandle')}`)
    }
    if (answer.status !== 200)
      throw new SnowhatError(
        'E_SQL',
        `the statement failed: ${answer.message} (${answer.code || answer.status})`,
        answer.status === 401 ? { hint: identity.hint } : {},
      )
    const columns = columnsOf(answer.body)
    const rows = [...dataOf(answer.body)]
    for (let partition = 1; partition < partitionsOf(answer.body); partition++) {
      const more = await call(
        'GET',
        `/api/v2/statements/${fieldOf(answer.body, 'statementHandle')}?partition=${partition}`,
      )
      rows.push(...dataOf(more.body))
    }
    return { columns, rows }
  } finally {
    await transport.close()
  }
}

function unreachable(base: string, { code, hint, message }: Answer): SnowhatError {
  return new SnowhatError(code === '' ? 'E_SQL' : (code as ErrorCode), `cannot reach ${base}: ${message}`, {
    hint: hint ?? 'is the emulator running (snowhat emulator), or SNOWHAT_SNOWFLAKE_ACCOUNT set?',
  })
}

function columnsOf(body: unknown): { name: string; type: string }[] {
  const types = fieldOf(fieldOf(body, 'resultSetMetaData'), 'rowType')
  if (!Array.isArray(types)) return []
  return types.map((type) => ({ name: String(fieldOf(type, 'name')), type: String(fieldOf(type, 'type')) }))
}

function dataOf(body: unknown): (string | null)[][] {
  const data = fieldOf(body, 'data')
  return Array.isArray(data) ? data : []
}

function partitionsOf(body: unknown): number {
  const partitions = fieldOf(fieldOf(body, 'resultSetMetaData'), 'partitionInfo')
  return Array.isArray(partitions) ? partitions.length : 1
}
