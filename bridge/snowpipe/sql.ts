import { Agent, request } from 'undici'
import type { Clock } from '../../src/clock.ts'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { SnowflakeSettings } from '../config.ts'
import { accountHost } from './account.ts'
import { type Answer, fieldOf, readAnswer } from './answer.ts'
import { createIdentity, type Identity } from './credentials.ts'

/** A result set; every value as Snowflake sends it: text, or null. */
export interface ResultSet {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly (string | null)[])[]
}

const TIMEOUT_MS = 120_000
const POLL_MS = 500

/** Runs one statement over the SQL REST API (`POST /api/v2/statements`) [documented]. Throws `E_SQL`. */
export async function runStatement(
  settings: SnowflakeSettings,
  statement: string,
  clock: Clock,
  identity: Identity = createIdentity(settings, clock),
): Promise<ResultSet> {
  const base = settings.url !== '' ? settings.url : `https://${accountHost(settings.account)}`
  let credential = await identity.credential()
  const dispatcher = new Agent()
  const call = async (method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> => {
    try {
      const response = await request(new URL(path, base), {
        method,
        dispatcher,
        headersTimeout: TIMEOUT_MS,
        headers: {
          authorization: `Bearer ${credential.token}`,
          'x-snowflake-authorization-token-type': credential.kind,
          accept: 'application/json',
          'content-type': 'application/json',
          'user-agent': 'snowhat',
        },
        ...(body !== undefined && { body }),
      })
      return readAnswer(response.statusCode, response.headers, await response.body.text())
    } catch (error) {
      throw new SnowhatError('E_SQL', `cannot reach ${base}: ${messageOf(error)}`, {
        cause: error,
        hint: 'is the emulator running (snowhat emulator), or SNOWHAT_SNOWFLAKE_ACCOUNT set?',
      })
    }
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
    await dispatcher.close()
  }
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
