import type { IncomingMessage } from 'node:http'
import { sameSecret } from '../../src/same-secret.ts'

/** What a request is answered with. */
export interface Reply {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

export function refuse(status: number, error: string, hint?: string): Reply {
  return { status, body: { error, ...(hint !== undefined && { hint }) } }
}

/**
 * Whatever changes something wants the token of `http.token_file` as `Authorization: Bearer <token>`; without a token in
 * the settings nobody can. Gives why the request is refused, `undefined` when it is not. `what`: `decisions`.
 */
export function unauthorized(request: IncomingMessage, token: string, what: string): Reply | undefined {
  if (token === '')
    return refuse(
      403,
      `${what} are off: set http.token_file (SNOWHAT_HTTP_TOKEN_FILE) at the bridge to a file with a token of your choice`,
    )
  if (bears(request, token)) return undefined
  return {
    ...refuse(401, 'this needs the token of http.token_file: Authorization: Bearer <token>'),
    headers: { 'www-authenticate': 'Bearer' },
  }
}

function bears(request: IncomingMessage, token: string): boolean {
  const [, given = ''] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? []
  return sameSecret(given, token)
}
