import { type Answer, type Call, Refusal } from './answer.ts'
import { type Dialect, valueAnswer } from './answer-dialect.ts'
import { type Auth, bearerOf } from './auth.ts'
import { asHost, type IngestHost } from './ingest-host.ts'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export interface AccountParts {
  readonly auth: Auth
  readonly ingestHost: IngestHost
  readonly dialect: Dialect
}

/** `GET /v2/streaming/hostname`: plain text [observed], although the documentation shows JSON. */
export async function hostname(call: Call, { auth, ingestHost, dialect }: AccountParts): Promise<Answer> {
  await auth.caller(call)
  return valueAnswer(ingestHost.nameFor(call), 'hostname', dialect.hostnameAnswer)
}

/**
 * `POST /oauth/token`: a scoped token for a key-pair JWT in the Authorization header [documented] or in the form field
 * `assertion` [observed]. The scope names the ingest host, perhaps a role beside it, or is left out [observed]. The
 * answer is plain text [observed].
 */
export async function token(call: Call, { auth, ingestHost, dialect }: AccountParts): Promise<Answer> {
  const form = new URLSearchParams(call.body.toString('utf8'))
  if (form.get('grant_type') !== GRANT_TYPE)
    throw new Refusal(400, 'unsupported_grant_type', `grant_type must be ${GRANT_TYPE}`)
  const jwt = bearerOf(call) ?? form.get('assertion')
  if (jwt === null) throw new Refusal(401, '390101', 'Authorization header not found in the request data')
  const caller = await auth.keyPairCaller(jwt, call)
  const scope = form.get('scope') ?? ''
  const hosts = scope.split(/\s+/).filter((word) => word !== '' && !word.startsWith('session:'))
  const ingest = ingestHost.nameFor(call)
  if (scope !== '' && !hosts.some((host) => asHost(host) === asHost(ingest)))
    throw new Refusal(400, 'invalid_scope', `scope must name the ingest host ${ingest}`)
  const scoped = await auth.issueScopedToken(caller, scope)
  return valueAnswer(scoped, 'token', dialect.tokenAnswer)
}
