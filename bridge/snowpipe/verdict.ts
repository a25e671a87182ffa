import type { Answer } from './answer.ts'

/** What an answer means for the caller. */
export type Verdict =
  /** Done. */
  | 'ok'
  /** Nothing is wrong with the request: send the same bytes again later. */
  | 'retry'
  /** The channel is not ours any more, or must be opened anew. */
  | 'reopen'
  /** A conflict that opening the channel anew may end; if it does not, a person must look. */
  | 'reopen_once'
  /** A safe open found rows that are not committed yet: wait and open again. */
  | 'uncommitted'
  /** The credential is not taken: renew it once, then stop and tell. */
  | 'unauthorized'
  /** Names, grants or the pipe's definition are wrong: a person must act; look again slowly. */
  | 'blocked'
  /** The account lives elsewhere now: discover the host again, open everything anew. */
  | 'moved'
  /** The request is too big or has a row in it that makes it fail: halve it. */
  | 'split'

/** Whom a refusal that a person must mend concerns: it is the same for all of them. */
export type Concern =
  /** Whatever the pipe: the credential, the proxy. */
  | 'account'
  | 'pipe'
  /** The pipe takes no more channels; those that are open go on. */
  | 'openings'
  /** Nobody else, as far as we know. */
  | 'channel'

export type Operation = 'hostname' | 'token' | 'open' | 'append' | 'status' | 'drop'

/** Codes that say the channel must be opened again [documented; the last three observed]. */
const REOPEN: ReadonlySet<string> = new Set([
  'STALE_CONTINUATION_TOKEN_SEQUENCER',
  'ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER',
  'ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER',
  'ERR_CHANNEL_MUST_BE_REOPENED',
  'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP',
  'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED',
  'ERR_CHANNEL_NO_LONGER_EXISTS',
  'STALE_PIPE_CACHE',
])

const RETRY: ReadonlySet<string> = new Set([
  'ERR_OPEN_CHANNEL_IN_PROGRESS',
  'ERR_GENERAL_EXCEPTION_RETRY_REQUEST',
  'ERR_PIPE_NOT_LOCALLY_OWNED_OR_NOT_STARTED',
  '390701',
])

const BLOCKED: ReadonlySet<string> = new Set([
  'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
  'ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED',
  'ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE',
  'ERR_PIPE_IN_INVALID_STATE',
  // No Accept header.
  '391902',
])

/** A proxy has taken the Accept header away. */
const OF_PROXY: ReadonlySet<string> = new Set(['391902'])

/** Meanings of a numeric `status_code` inside an answer, whatever its status; others may pass [observed, partly known]. */
const NUMERIC: Readonly<Record<string, Verdict>> = {
  '1': 'retry',
  '2': 'blocked',
  '3': 'unauthorized',
  '4': 'reopen',
  '5': 'retry',
  '6': 'retry',
}

/** Pure. Decides by code first, by status second: the same code comes under several statuses. */
export function verdictOn(operation: Operation, answer: Answer): Verdict {
  const { status, code } = answer
  // Without an answer there is a code only when the way is barred: nothing was sent.
  if (status === undefined) return code === '' ? 'retry' : 'blocked'
  if (code === 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA') return 'uncommitted'
  if (REOPEN.has(code)) return 'reopen'
  if (RETRY.has(code)) return 'retry'
  if (BLOCKED.has(code) || /^ERR_(DATABASE|SCHEMA|ROLE|TABLE)_/.test(code)) return 'blocked'
  if (code.startsWith('ERR_CHANNEL_')) return 'reopen_once'
  const numeric = NUMERIC[code]
  if (numeric !== undefined) return numeric
  if (status >= 200 && status < 300) {
    if (isGoodChannelCode(code)) return 'ok'
    return /^\d+$/.test(code) ? 'retry' : 'blocked'
  }
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'blocked'
  // A load balancer without a route answers 404 with no code; that passes by itself [observed].
  if (status === 404) return code === '' ? 'retry' : 'blocked'
  if (status === 410) return 'moved'
  if (status === 409) return 'reopen_once'
  if (status === 408 || status === 429 || status === 499 || status >= 500) return 'retry'
  if (status === 413 || status === 400) return operation === 'append' ? 'split' : 'blocked'
  return 'blocked'
}

/** The verdict on a channel's status code, in the body of an open or of a bulk status. */
export function verdictOnChannel(code: string): Verdict {
  if (isGoodChannelCode(code)) return 'ok'
  if (REOPEN.has(code)) return 'reopen'
  return code.startsWith('ERR_CHANNEL_') && !BLOCKED.has(code) ? 'reopen_once' : 'blocked'
}

/** Of a verdict that stops something: `unauthorized` or `blocked`. */
export function concernOf(verdict: Verdict, { code, ofAccount, status }: Answer): Concern {
  if (verdict === 'unauthorized' || ofAccount === true || OF_PROXY.has(code) || status === 407) return 'account'
  if (code === 'ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE') return 'openings'
  if (/^ERR_(PIPE|DATABASE|SCHEMA|ROLE|TABLE)_/.test(code) || status === 403 || status === 404) return 'pipe'
  return 'channel'
}

function isGoodChannelCode(code: string): boolean {
  return code === '' || code === '0' || code === 'SUCCESS' || code === 'ACTIVE'
}
