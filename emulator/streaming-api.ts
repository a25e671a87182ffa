import type { Clock } from '../src/clock.ts'
import { type Answer, type Call, jsonBody, Refusal } from './answer.ts'
import { type Dialect, spokenStatus } from './answer-dialect.ts'
import type { Pipe } from './catalog.ts'
import type { Channels } from './channels.ts'
import type { ElasticChannels } from './elastic.ts'
import { channelNameOf, ELASTIC, foldIdentifier, isElastic, type ObjectName } from './names.ts'
import { rowsOf } from './rowset-body.ts'

/** What the calls need of the service. */
export interface Streaming {
  readonly channels: Channels
  readonly elastic: ElasticChannels
  readonly clock: Clock
  readonly dialect: Dialect
  readonly limits: { readonly namesPerStatus: number }
}

/** What a path of the streaming API names. */
export interface Target {
  readonly pipe: ObjectName
  readonly channel: string
}

/** Segments of a path: percent escapes decoded, names folded unless quoted [documented]. */
export function targetOf(database: string, schema: string, pipe: string, channel = ''): Target {
  try {
    const [databaseName, schemaName, pipeName] = [database, schema, pipe].map((segment) =>
      foldIdentifier(decodeURIComponent(segment)),
    )
    return {
      pipe: { database: databaseName ?? '', schema: schemaName ?? '', name: pipeName ?? '' },
      channel: channelNameOf(decodeURIComponent(channel)),
    }
  } catch {
    throw new Refusal(400, 'INVALID_REQUEST', 'The path has a broken percent escape')
  }
}

/** `PUT …/channels/{channel}`. The status code is SUCCESS [documented; one example says ACTIVE]. */
export async function openChannel(call: Call, target: Target, { channels, dialect }: Streaming): Promise<Answer> {
  const body = jsonBody(call)
  const offsetToken = body.offset_token ?? undefined
  if (offsetToken !== undefined && (typeof offsetToken !== 'string' || offsetToken.includes('\0')))
    throw new Refusal(400, 'INVALID_REQUEST', 'offset_token must be a string')
  const channel = await channels.open(channels.streamingPipe(target.pipe), target.channel, {
    offsetToken,
    failOnUncommittedRows: body.fail_on_uncommitted_rows === true,
  })
  return ok({ next_continuation_token: channel.token, channel_status: spokenStatus(channel.status, dialect) })
}

/**
 * `POST …/data/…/channels/{channel}/rows`. `offsetToken` is the older form of start and end in one [observed].
 * An empty start is none [observed]; so is an empty end [assumed].
 */
export async function appendRows(
  call: Call,
  target: Target,
  { channels }: Streaming,
  swallow = false,
): Promise<Answer> {
  const { query } = call
  const single = query.get('offsetToken')
  const token = await channels.append(
    channels.pipe(target.pipe),
    target.channel,
    query.get('continuationToken'),
    async () => ({
      ...(await rowsOf(call)),
      startOffset: query.get('startOffsetToken') || single || null,
      endOffset: query.get('endOffsetToken') || single || null,
    }),
    swallow,
  )
  return ok({ next_continuation_token: token })
}

/** They belong to Named Channels [documented: they must not be sent; that this is refused is assumed]. */
const TOKEN_PARAMETERS = ['continuationToken', 'offsetToken', 'startOffsetToken', 'endOffsetToken']

/**
 * An Elastic append: `POST …/data/…/pipes/{pipe}/channels/ELASTIC/rows`. `requestId` and `retryCount` are the client's, for its logs:
 * the service de-duplicates nothing [documented].
 */
export async function appendElastic(
  call: Call,
  target: Target,
  { channels, elastic }: Streaming,
  swallow = false,
): Promise<Answer> {
  return elasticAnswer(call, () => channels.streamingPipe(target.pipe), elastic, swallow)
}

/** `POST …/data/…/tables/{table}/rows`: the same by the table's default pipe, made when it is missing [documented]. */
export async function appendToTable(
  call: Call,
  target: Target,
  { channels, elastic }: Streaming,
  swallow = false,
): Promise<Answer> {
  return elasticAnswer(call, () => channels.defaultPipe(target.pipe), elastic, swallow)
}

async function elasticAnswer(
  call: Call,
  pipeOf: () => Pipe,
  elastic: ElasticChannels,
  swallow: boolean,
): Promise<Answer> {
  const pipe = pipeOf()
  const refused = TOKEN_PARAMETERS.find((parameter) => call.query.has(parameter))
  if (refused !== undefined)
    throw new Refusal(400, 'INVALID_REQUEST', `${refused} must not be sent to an Elastic Channel`)
  const { lines } = await rowsOf(call)
  await elastic.append(pipe, lines, swallow)
  // The message is documented; the official SDK wants the other field as well, whatever it says [observed].
  return { status: 200, body: { message: 'OK', next_continuation_token: '' } }
}

/** `POST …/channels/{channel}/filebuffer`: fragments of files in cloud storage, of which the emulator has none. */
export async function appendFiles(): Promise<Answer> {
  throw new Refusal(
    400,
    'NOT_EMULATED',
    'The emulator has no cloud storage and takes rows in the body of requests only (POST …/rows)',
  )
}

/** `POST …/pipes/{pipe}:bulk-channel-status`. */
export async function bulkChannelStatus(
  call: Call,
  target: Target,
  { channels, elastic, dialect, limits }: Streaming,
): Promise<Answer> {
  const pipe = channels.streamingPipe(target.pipe)
  const names = jsonBody(call).channel_names
  if (!Array.isArray(names) || !names.every((name): name is string => typeof name === 'string'))
    throw new Refusal(400, 'INVALID_REQUEST', 'channel_names must be a list of strings')
  if (limits.namesPerStatus > 0 && names.length > limits.namesPerStatus)
    throw new Refusal(400, 'INVALID_REQUEST', `channel_names may hold ${limits.namesPerStatus} names`)
  const statuses = Object.entries(await channels.statuses(pipe, names))
  if (names.includes(ELASTIC)) statuses.push([ELASTIC, elastic.statusOf(pipe)])
  return ok({ channel_statuses: Object.fromEntries(statuses.map(([name, s]) => [name, spokenStatus(s, dialect)])) })
}

/** `DELETE …/channels/{channel}`: no payload is documented; the SDK wants to read JSON [observed]. 404 if unknown [assumed]. */
export async function dropChannel(call: Call, target: Target, { channels }: Streaming): Promise<Answer> {
  const failOnUncommittedRows = jsonBody(call).fail_on_uncommitted_rows === true
  if (isElastic(target.channel)) throw new Refusal(400, 'INVALID_REQUEST', `${ELASTIC} cannot be dropped`)
  await channels.drop(channels.pipe(target.pipe), target.channel, failOnUncommittedRows)
  return ok({})
}

/** A numeric `status_code` 0 and a message stand beside the documented fields [observed]. */
function ok(body: Record<string, unknown>): Answer {
  return { status: 200, body: { status_code: 0, message: 'Success', ...body } }
}
