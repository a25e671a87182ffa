/**
 * What came back over HTTP, reduced to what the protocol's rules are about. Real answers come in many
 * shapes: the documented `{code, message}`, `error_code`, a numeric `status_code`, a bare JSON string, a
 * proxy's HTML, nothing at all [documented and observed in public clients].
 */
export interface Answer {
  /** HTTP status; `undefined` when no answer came (DNS, TCP, TLS, time limit). */
  readonly status: number | undefined
  /** Snowflake's code, `''` when the answer names none. */
  readonly code: string
  readonly message: string
  /** Parsed JSON, or the text when it is not JSON. */
  readonly body: unknown
  /** Epoch milliseconds of the server's `Date` header. */
  readonly serverTime: number | undefined
  /** Milliseconds the server asks us to wait (`Retry-After`). */
  readonly retryAfterMs: number | undefined
  /** What to look at when a person must act, where who asked knows more than the code says. */
  readonly hint?: string | undefined
  /** Snowflake's support asks for it. */
  readonly requestId?: string | undefined
  /** `x-snowflake-session`: a hint at the node that serves a channel, to be sent back to it [observed]. */
  readonly session?: string | undefined
  /** It is about signing in, or the way there: whatever the channel, the same would be said. */
  readonly ofAccount?: boolean
}

const LONGEST_TEXT = 500
/** Whatever a server asks for: rows are waiting, and it may have been a mistake. */
const LONGEST_PAUSE_MS = 5 * 60_000

export function readAnswer(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  text: string,
): Answer {
  const body = parseJson(text)
  const { code, message } = codeAndMessage(body, text)
  const date = Date.parse(first(headers.date) ?? '')
  return {
    status,
    code,
    message,
    body,
    serverTime: Number.isFinite(date) ? date : undefined,
    retryAfterMs: pauseIn(first(headers['retry-after']), date),
    session: first(headers['x-snowflake-session']),
  }
}

/** A short name for what came back: Snowflake's code, else the HTTP status. */
export function codeOf(answer: Answer): string {
  return answer.code || String(answer.status ?? 'no_answer')
}

/** `known`: what is known of the reason, when a person must act. */
export function noAnswer(message: string, known?: { readonly code: string; readonly hint: string }): Answer {
  const empty = { status: undefined, body: undefined, serverTime: undefined, retryAfterMs: undefined }
  return known === undefined ? { ...empty, code: '', message } : { ...empty, message, ...known, ofAccount: true }
}

/** A field of a JSON object, `undefined` when the body is none. */
export function fieldOf(body: unknown, key: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[key] : undefined
}

/**
 * `hostname` and `/oauth/token` answer in plain text although JSON is documented [observed]; a JSON string
 * and an object are taken too.
 */
export function textOrField(body: unknown, ...keys: readonly string[]): string | undefined {
  if (typeof body === 'string') return body.trim() || undefined
  for (const key of keys) {
    const value = fieldOf(body, key)
    if (typeof value === 'string' && value.trim() !== '') return value.trim()
  }
  return undefined
}

function codeAndMessage(body: unknown, text: string): { code: string; message: string } {
  const message = fieldOf(body, 'message')
  const words = typeof message === 'string' ? message : text.slice(0, LONGEST_TEXT)
  for (const key of ['code', 'error_code', 'status_code']) {
    const code = fieldOf(body, key)
    // status_code 0 is the success of an answer that carries one.
    if (typeof code === 'string' && code !== '') return { code, message: words }
    if (typeof code === 'number' && code !== 0) return { code: String(code), message: words }
  }
  if (typeof body === 'string' && /^ERR_[A-Z_]+$|^[A-Z]+(?:_[A-Z]+)+$/.test(body)) return { code: body, message: body }
  return { code: '', message: words }
}

/** Seconds, or a time of day, which is of the server's clock. */
function pauseIn(header: string | undefined, serverTime: number): number | undefined {
  const ms = Number(header) * 1000 || Date.parse(header ?? '') - serverTime
  return ms > 0 ? Math.min(ms, LONGEST_PAUSE_MS) : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
