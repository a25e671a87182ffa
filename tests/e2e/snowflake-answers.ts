/*
 * The tables of errors in the specification of Snowpipe Streaming's REST API, in its own words, and beside each row the faults of the
 * emulator that bring it about and what the operator is to hear of it.
 */

export type Fault = Readonly<Record<string, unknown>> & { readonly action: string }

/** What the log says: each line once, and nothing else above `info`. */
export type Told =
  /** That it will pass, under this code; and that it is over. */
  | { readonly passes: string }
  /** That a person must act, under this code; and that it is over. */
  | { readonly refuses: string }
  /** That channels are opened again, at info. `moved`: all of them. */
  | 'opens again'
  | 'moved'
  | 'nothing'

export interface Row {
  /** Of the specification. */
  readonly section: '2.5' | '5.1' | '5.2' | '5.3'
  readonly sign: string
  readonly reaction: string
  /** Of every request of this row's devices; each has a bridge to itself. */
  readonly faults: readonly Fault[]
  readonly told: Told
  /** What cannot be told from the fault of a row may go to the dead letters. */
  readonly maySetAside?: true
  /** It strikes the account as a whole, so this row has an emulator to itself. */
  readonly alone?: true
}

/** So often, to the two devices together, and then no more: nothing here is a matter of time. */
const append = (fault: Fault): Fault[] => [{ operation: 'append', count: 4, ...fault }]
/** A batch is halved so often that in the end a row and its neighbour are refused. */
const UNTIL_ALONE = { count: 20 }
/** Each is sent twice, with a new token. */
const UNTIL_RENEWED = { count: 6 }
const once = (fault: Fault): Fault[] => [{ operation: 'append', count: 1, ...fault }]
const answer = (status: number, body: unknown, more: object = {}): Fault[] =>
  append({ action: 'answer', status, body, ...more })
/** The channels must be opened while it is so. */
const open = (fault: Fault): Fault[] => [{ action: 'invalidate-channel' }, { operation: 'open', count: 2, ...fault }]
const status = (code: string): Fault[] => [{ operation: 'status', action: 'channel-status', code, count: 1 }]
const token = (fault: Fault): Fault[] => [{ action: 'expire-tokens' }, { operation: 'token', count: 4, ...fault }]

const NAMES = 'configuration error: stop the pipe, alarm, slow retry'
const TRANSIENT = 'transient; also when the serving node does not own the pipe yet: retry identical'
const THROTTLED = 'backoff with jitter, lower the rate of that channel/pipe; honour Retry-After if present'
const RENEW = 'renew token once and repeat the same request; second 401: stop sending, alarm, slow retry'

const BY_STATUS: readonly Omit<Row, 'section'>[] = [
  {
    sign: '400 STALE_CONTINUATION_TOKEN_SEQUENCER',
    reaction: 'ownership lost: reopen, reconcile, replay',
    faults: once({ action: 'stale-token' }),
    told: 'opens again',
  },
  {
    sign: '400 other',
    reaction: 'do not retry unchanged; isolate the batch (split in halves to find the culprit), alarm',
    faults: append({ action: 'bad-request', ...UNTIL_ALONE }),
    told: { refuses: 'INVALID_REQUEST' },
    maySetAside: true,
  },
  { sign: '401, once', reaction: RENEW, faults: once({ action: 'unauthorized' }), told: 'nothing' },
  {
    sign: '401',
    reaction: RENEW,
    faults: append({ action: 'unauthorized', ...UNTIL_RENEWED }),
    told: { refuses: '390318' },
  },
  {
    sign: '401 at the exchange for a token',
    reaction: RENEW,
    faults: token({ action: 'unauthorized' }),
    told: { refuses: '390318' },
    alone: true,
  },
  {
    sign: '403',
    reaction: 'missing privilege, network policy: stop the pipe, alarm, slow retry',
    faults: append({ action: 'forbidden' }),
    told: { refuses: '390422' },
  },
  ...(['pipe', 'table', 'database', 'schema', 'role'] as const).map((what) => ({
    sign: `404 ${what}`,
    reaction: NAMES,
    faults: append({ action: 'not-found', what }),
    told: { refuses: `ERR_${what.toUpperCase()}_DOES_NOT_EXIST_${what === 'table' ? '' : 'OR_'}NOT_AUTHORIZED` },
  })),
  {
    sign: '404 ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED',
    reaction: 'channel gone: reopen',
    faults: once({ action: 'not-found', what: 'channel' }),
    told: 'opens again',
  },
  {
    sign: '404 ERR_CHANNEL_NO_LONGER_EXISTS',
    reaction: 'channel gone: reopen',
    faults: once({ action: 'answer', status: 404, body: { code: 'ERR_CHANNEL_NO_LONGER_EXISTS' } }),
    told: 'opens again',
  },
  {
    sign: '404 no body',
    reaction: 'load-balancer has no route: retry with backoff like 503',
    faults: append({ action: 'no-route' }),
    told: { passes: '404' },
  },
  ...[408, 499].map((code) => ({
    sign: `${code}`,
    reaction: 'timeout at a proxy: retry identical',
    faults: append({ action: 'time-out', status: code }),
    told: { passes: `${code}` },
  })),
  {
    sign: '409 ERR_OPEN_CHANNEL_IN_PROGRESS',
    reaction: 'concurrent open: retry',
    faults: open({ action: 'conflict' }),
    told: { passes: 'ERR_OPEN_CHANNEL_IN_PROGRESS' },
  },
  {
    sign: '409 ERR_CHANNEL_HAS_UNCOMMITTED_DATA',
    reaction: 'safe open refused: wait for commit, retry',
    faults: open({ action: 'conflict', what: 'uncommitted-rows' }),
    told: 'opens again',
  },
  {
    sign: '409 ERR_PIPE_IN_INVALID_STATE',
    reaction: 'pipe definition broken: stop the pipe, alarm',
    faults: append({ action: 'conflict', what: 'invalid-pipe' }),
    told: { refuses: 'ERR_PIPE_IN_INVALID_STATE' },
  },
  {
    sign: '409 other',
    reaction: 'channel or pipe conflict: reopen once',
    faults: once({ action: 'conflict', what: 'other' }),
    told: 'opens again',
  },
  {
    sign: '409 other, and again',
    reaction: 'channel or pipe conflict: reopen once, then stop',
    faults: append({ action: 'conflict', what: 'other' }),
    told: { refuses: 'CONFLICT' },
  },
  {
    sign: '410',
    reaction: 'discard host and tokens, discover host again, renew token, reopen all channels of that pipe',
    faults: once({ action: 'gone' }),
    told: 'moved',
  },
  {
    sign: '413',
    reaction: 'request too big: split the batch',
    faults: append({ action: 'too-large', ...UNTIL_ALONE }),
    told: { refuses: 'REQUEST_ENTITY_TOO_LARGE' },
    maySetAside: true,
  },
  { sign: '429 390701', reaction: THROTTLED, faults: append({ action: 'throttle' }), told: { passes: '390701' } },
  {
    sign: '429 with Retry-After',
    reaction: THROTTLED,
    faults: append({ action: 'throttle', retryAfter: 1 }),
    told: { passes: '390701' },
  },
  {
    sign: '429 without a code',
    reaction: THROTTLED,
    faults: append({ action: 'throttle', code: '' }),
    told: { passes: '429' },
  },
  {
    sign: '429 390701 at an open',
    reaction: THROTTLED,
    faults: open({ action: 'throttle', retryAfter: 1 }),
    // The pace of openings sees to it.
    told: 'opens again',
  },
  {
    sign: '429 at the exchange for a token',
    reaction: THROTTLED,
    faults: token({ action: 'throttle', retryAfter: 1 }),
    told: { passes: '390701' },
    alone: true,
  },
  {
    sign: '500 ERR_GENERAL_EXCEPTION_RETRY_REQUEST',
    reaction: TRANSIENT,
    faults: append({ action: 'server-error' }),
    told: { passes: 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST' },
  },
  {
    sign: '503 ERR_PIPE_NOT_LOCALLY_OWNED_OR_NOT_STARTED',
    reaction: TRANSIENT,
    faults: answer(503, { code: 'ERR_PIPE_NOT_LOCALLY_OWNED_OR_NOT_STARTED' }),
    told: { passes: 'ERR_PIPE_NOT_LOCALLY_OWNED_OR_NOT_STARTED' },
  },
  {
    sign: '504 none',
    reaction: TRANSIENT,
    faults: append({ action: 'server-error', status: 504, body: '' }),
    told: { passes: '504' },
  },
  {
    sign: '391902 no Accept header',
    reaction: 'send Accept: application/json',
    faults: answer(400, { code: '391902', message: 'Unsupported Accept header null' }),
    told: { refuses: '391902' },
  },
  {
    sign: 'transport, the request got lost',
    reaction: 'unknown outcome: retry identical (append), retry (others)',
    faults: append({ action: 'lose-request' }),
    told: { passes: 'no_answer' },
  },
  {
    sign: 'transport, the answer got lost',
    reaction: 'unknown outcome: retry identical (append), retry (others)',
    faults: append({ action: 'lose-answer' }),
    told: { passes: 'no_answer' },
  },
  {
    sign: 'transport, the answer to an open got lost',
    reaction: 'unknown outcome: retry identical (append), retry (others)',
    faults: open({ action: 'lose-answer' }),
    told: { passes: 'no_answer' },
  },
]

const FIX_FIRST = 'fix pipe, table or grant first, then reopen'

const BY_CHANNEL: readonly Omit<Row, 'section'>[] = [
  ...[
    'ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER',
    'ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER',
    'ERR_CHANNEL_MUST_BE_REOPENED',
    'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP',
    'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED',
    'ERR_CHANNEL_NO_LONGER_EXISTS',
    'STALE_PIPE_CACHE',
  ].map((code) => ({ sign: code, reaction: 'reopen', faults: status(code), told: 'opens again' as const })),
  {
    sign: 'ERR_CHANNEL_OF_A_NEW_KIND',
    reaction: 'anything unknown starting with ERR_CHANNEL_: reopen once',
    faults: status('ERR_CHANNEL_OF_A_NEW_KIND'),
    told: 'opens again',
  },
  {
    sign: 'ERR_CHANNEL_OF_A_NEW_KIND in the status, and again',
    reaction: 'anything unknown starting with ERR_CHANNEL_: reopen once, then alarm',
    // Of two devices that are told so four times one is told so twice.
    faults: [{ operation: 'status', action: 'channel-status', code: 'ERR_CHANNEL_OF_A_NEW_KIND', count: 4 }],
    told: { refuses: 'ERR_CHANNEL_OF_A_NEW_KIND' },
  },
  {
    sign: 'ERR_CHANNEL_OF_A_NEW_KIND, and again',
    reaction: 'anything unknown starting with ERR_CHANNEL_: reopen once, then alarm',
    faults: answer(400, { code: 'ERR_CHANNEL_OF_A_NEW_KIND' }),
    told: { refuses: 'ERR_CHANNEL_OF_A_NEW_KIND' },
  },
  ...['ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED', 'ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED'].map((code) => ({
    sign: code,
    reaction: FIX_FIRST,
    faults: open({ action: 'channel-status', code }),
    told: { refuses: code },
  })),
  {
    sign: 'ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE',
    reaction: 'too many channels: stop opening on this pipe, alarm, use another pipe',
    faults: open({ action: 'conflict', what: 'channel-limit' }),
    told: { refuses: 'ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE' },
  },
  {
    sign: 'ERR_PIPE_IN_INVALID_STATE',
    reaction: 'stop, alarm',
    faults: open({ action: 'channel-status', code: 'ERR_PIPE_IN_INVALID_STATE' }),
    told: { refuses: 'ERR_PIPE_IN_INVALID_STATE' },
  },
  {
    sign: 'ERR_PIPE_IN_INVALID_STATE of the pipe as a whole',
    reaction: 'the bulk status is the cheap pre-flight for a pipe: stop, alarm',
    faults: [{ operation: 'status', action: 'conflict', what: 'invalid-pipe', count: 2 }],
    told: { refuses: 'ERR_PIPE_IN_INVALID_STATE' },
  },
  {
    sign: 'ERR_OF_A_NEW_KIND',
    reaction: 'anything else unknown: alarm, slow retry',
    faults: open({ action: 'channel-status', code: 'ERR_OF_A_NEW_KIND' }),
    told: { refuses: 'ERR_OF_A_NEW_KIND' },
  },
]

const NUMERIC: readonly Omit<Row, 'section'>[] = [
  ...[1, 5, 6].map((statusCode) => ({
    sign: `status_code ${statusCode}`,
    reaction: 'retry',
    faults: append({ action: 'reject', statusCode }),
    told: { passes: `${statusCode}` },
  })),
  {
    sign: 'status_code 2',
    reaction: 'stop',
    faults: append({ action: 'reject', statusCode: 2 }),
    told: { refuses: '2' },
  },
  {
    sign: 'status_code 3, once',
    reaction: 'authentication expired: renew and retry',
    faults: once({ action: 'reject', statusCode: 3 }),
    told: 'nothing',
  },
  {
    sign: 'status_code 4',
    reaction: 'stale continuation: reopen',
    faults: once({ action: 'reject', statusCode: 4 }),
    told: 'opens again',
  },
  {
    sign: 'status_code 99',
    reaction: 'others retry',
    faults: append({ action: 'reject', statusCode: 99 }),
    told: { passes: '99' },
  },
]

const VARIANTS: readonly Omit<Row, 'section'>[] = [
  {
    sign: 'error_code instead of code',
    reaction: 'must survive',
    faults: answer(400, { error_code: 'STALE_CONTINUATION_TOKEN_SEQUENCER' }, { count: 1 }),
    told: 'opens again',
  },
  {
    sign: 'numeric status_code with message, extra result_handler',
    reaction: 'must survive',
    faults: answer(400, { status_code: 4, message: 'stale', result_handler: 'x' }, { count: 1 }),
    told: 'opens again',
  },
  {
    sign: 'a bare JSON string',
    reaction: 'must survive',
    faults: answer(400, '"STALE_CONTINUATION_TOKEN_SEQUENCER"', { count: 1 }),
    told: 'opens again',
  },
  {
    sign: 'HTML from a proxy',
    reaction: 'must survive',
    faults: append({ action: 'server-error', status: 502, body: '<html>Bad Gateway</html>' }),
    told: { passes: '502' },
  },
  {
    sign: 'an empty body',
    reaction: 'must survive',
    faults: append({ action: 'server-error', status: 503, body: '' }),
    told: { passes: '503' },
  },
]

export const ROWS: readonly Row[] = [
  ...BY_STATUS.map((row) => ({ section: '5.1' as const, ...row })),
  ...BY_CHANNEL.map((row) => ({ section: '5.2' as const, ...row })),
  ...NUMERIC.map((row) => ({ section: '5.3' as const, ...row })),
  ...VARIANTS.map((row) => ({ section: '2.5' as const, ...row })),
]
