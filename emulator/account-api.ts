import type { Answer, Call } from './answer.ts'
import { headerOf, Refusal } from './answer.ts'
import { type Auth, bearerOf } from './auth.ts'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** The name in the Host header, without the port: the official SDK goes on with its own port [observed]. */
export function hostOf(call: Call): string {
  const host = headerOf(call, 'host') ?? 'localhost'
  return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.replace(/:\d+$/, '')
}

/** `GET /v2/streaming/hostname`: plain text [observed], although the documentation shows JSON. */
export async function hostname(call: Call, auth: Auth, answers: 'text' | 'json'): Promise<Answer> {
  await auth.caller(call)
  const name = hostOf(call)
  return { status: 200, body: answers === 'json' ? { hostname: name } : name }
}

/**
 * `POST /oauth/token`: a scoped token for a key-pair JWT in the Authorization header [documented] or in the form field
 * `assertion` [observed]. The scope names the ingest host, perhaps a role beside it, or is left out [observed]. The
 * answer is plain text [observed].
 */
export async function token(call: Call, auth: Auth, answers: 'text' | 'json'): Promise<Answer> {
  const form = new URLSearchParams(call.body.toString('utf8'))
  if (form.get('grant_type') !== GRANT_TYPE)
    throw new Refusal(400, 'unsupported_grant_type', `grant_type must be ${GRANT_TYPE}`)
  const jwt = bearerOf(call) ?? form.get('assertion')
  if (jwt === null) throw new Refusal(401, '390101', 'Authorization header not found in the request data')
  const caller = await auth.keyPairCaller(jwt)
  const scope = form.get('scope') ?? ''
  const hosts = scope.split(/\s+/).filter((word) => word !== '' && !word.startsWith('session:'))
  if (scope !== '' && !hosts.some((host) => asHost(host) === asHost(hostOf(call))))
    throw new Refusal(400, 'invalid_scope', `scope must name the ingest host ${hostOf(call)}`)
  const scoped = await auth.issueScopedToken(caller, scope)
  return { status: 200, body: answers === 'json' ? { token: scoped } : scoped }
}

/** Clients write `_` as `-` and in lower case [documented]. */
function asHost(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}
