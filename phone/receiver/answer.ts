import type { ServerResponse } from 'node:http'
import type { Outcome } from '../intake/intake.ts'

export interface Answer {
  readonly status: number
  /** An object is sent as JSON, a text as it is. */
  readonly body: object | string
  readonly headers?: Readonly<Record<string, string>>
}

/** The one status whose text the app shows its user, once per recording [documented: PUSHING.md]. */
const SHOWN_BY_THE_APP = 499
/** Of what we have no room for, seconds. */
const RETRY_AFTER = '30'

export function failed(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, body: { status: 'error', message }, headers }
}

export function tooLong(maxBytes: number): Answer {
  return failed(413, `a message holds at most ${maxBytes} bytes`)
}

/** For the phone's user to read. */
export function shown(sentence: string): Answer {
  return { status: SHOWN_BY_THE_APP, body: `Snowhat: ${sentence}` }
}

/** `processed_readings` is the length of `payload`, as the first system had it. `isJson`: the sender says it is. */
export function answerTo(outcome: Outcome, isJson: boolean): Answer {
  switch (outcome.kind) {
    case 'stored': {
      const { size, accepted, rejected, duplicates } = outcome
      return success(size, { accepted, rejected, duplicates })
    }
    case 'test':
      return success(outcome.size, { accepted: 0, rejected: 0, duplicates: 0 })
    case 'duplicate':
      return success(outcome.size, { accepted: 0, rejected: 0, duplicates: outcome.size })
    case 'unreadable':
      return failed(outcome.notJson && !isJson ? 415 : 400, outcome.sentence)
    case 'too-long':
      return tooLong(outcome.maxBytes)
    case 'refused':
      return shown(outcome.sentence)
    case 'full':
      return failed(503, 'there is no room for more', { 'retry-after': RETRY_AFTER })
  }
}

function success(readings: number, more: object): Answer {
  return { status: 200, body: { status: 'success', processed_readings: readings, ...more } }
}

export function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const isText = typeof body === 'string'
  const text = isText ? `${body}\n` : JSON.stringify(body)
  response.writeHead(status, {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
}
