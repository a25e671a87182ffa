import { type Answer, type Call, jsonBody, Refusal } from './answer.ts'
import { type Dialect, spokenStatus } from './answer-dialect.ts'
import type { Channels } from './channels.ts'
import { channelNameOf, foldIdentifier, type ObjectName } from './names.ts'
import { rowsOf } from './rowset-body.ts'

/** What the calls need of the service. */
export interface Streaming {
  readonly channels: Channels
  readonly dialect: Dialect
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

/** `POST …/pipes/{pipe}:bulk-channel-status`. */
export async function bulkChannelStatus(call: Call, target: Target, { channels, dialect }: Streaming): Promise<Answer> {
  const pipe = channels.streamingPipe(target.pipe)
  const names = jsonBody(call).channel_names
  if (!Array.isArray(names) || !names.every((name): name is string => typeof name === 'string'))
    throw new Refusal(400, 'INVALID_REQUEST', 'channel_names must be a list of strings')
  const statuses = Object.entries(await channels.statuses(pipe, names))
  return ok({ channel_statuses: Object.fromEntries(statuses.map(([name, s]) => [name, spokenStatus(s, dialect)])) })
}

/** `DELETE …/channels/{channel}`: no payload is documented; the SDK wants to read JSON [observed]. 404 if unknown [assumed]. */
export async function dropChannel(call: Call, target: Target, { channels }: Streaming): Promise<Answer> {
  const failOnUncommittedRows = jsonBody(call).fail_on_uncommitted_rows === true
  await channels.drop(channels.pipe(target.pipe), target.channel, failOnUncommittedRows)
  return ok({})
}

/** A numeric `status_code` 0 and a message stand beside the documented fields [observed]. */
function ok(body: Record<string, unknown>): Answer {
  return { status: 200, body: { status_code: 0, message: 'Success', ...body } }
}
