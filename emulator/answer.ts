/** What the emulator says to one request. A string body is `text/plain`, anything else JSON. */
export interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** The body goes out in pieces over this long, until nobody wants it slow any more. */
  readonly slowly?: { readonly overMs: number; readonly until: AbortSignal }
}

/** An answer, or none: the connection is cut. */
export type Outcome = Answer | 'lost'

/** A request that is refused, with Snowflake's words: `{"code": …, "message": …}` [documented]. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly extra: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, message: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.code = code
    this.extra = extra
  }

  get answer(): Answer {
    return { status: this.status, body: { code: this.code, message: this.message, ...this.extra } }
  }
}

/** One request, its body read in full. */
export interface Call {
  readonly method: string
  /** Path without the query, as sent: percent escapes are still in it. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** The body was longer than one request may be; `body` is then empty. */
  readonly oversize: boolean
  /** The client's address. */
  readonly from?: string | undefined
}

export function headerOf(call: Call, name: string): string | undefined {
  const value = call.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** The body as a JSON object; an empty body counts as `{}` [documented for open]. */
export function jsonBody(call: Call): Record<string, unknown> {
  if (call.body.length === 0) return {}
  let value: unknown
  try {
    value = JSON.parse(call.body.toString('utf8'))
  } catch {
    throw new Refusal(400, 'INVALID_REQUEST', 'The request body is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal(400, 'INVALID_REQUEST', 'The request body is not a JSON object')
  return value as Record<string, unknown>
}
