import { createServer as createPlainServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import { listen } from '../../src/http-server.ts'
import { checkCertificate, checkPair, readPem } from '../../src/pem-files.ts'
import type { PhoneSettings } from '../config.ts'

export interface ReceiverServer {
  readonly port: number
  /** No new requests; those under way get their answer, for a while. */
  close(graceMs: number): Promise<void>
}

/** A message that takes longer to come is given up: 408. */
const BODY_TIMEOUT_MS = 15_000
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/

/** Throws `E_CONFIG_INVALID` where everybody who reaches the port could write. */
export function mustBeGuarded({ host, token, insecure_no_auth }: PhoneSettings): void {
  if (token !== '' || LOOPBACK.test(host) || insecure_no_auth) return
  throw new SnowhatError(
    'E_CONFIG_INVALID',
    `phone.host is ${host}, and there is no token: whoever reaches the port could write`,
    {
      hint: 'set SNOWHAT_PHONE_TOKEN_FILE to a file with a token of your choice (or, if you mean it, phone.insecure_no_auth)',
    },
  )
}

export async function openReceiver(
  settings: Pick<PhoneSettings, 'host' | 'port' | 'tls_cert' | 'tls_key'>,
  listener: RequestListener,
  clock: Clock,
  bodyTimeoutMs: number = BODY_TIMEOUT_MS,
): Promise<ReceiverServer> {
  const limits: ServerOptions = {
    requestTimeout: bodyTimeoutMs,
    headersTimeout: bodyTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, bodyTimeoutMs / 2),
  }
  const server = await serverOf(settings, limits, listener)
  const port = await listen(server, settings.host, settings.port, '--port')
  return {
    port,
    close: (graceMs) =>
      new Promise((resolve) => {
        const cancel = clock.after(graceMs, () => server.closeAllConnections())
        server.close(() => {
          cancel()
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

async function serverOf(
  { tls_cert, tls_key }: Pick<PhoneSettings, 'tls_cert' | 'tls_key'>,
  limits: ServerOptions,
  listener: RequestListener,
): Promise<Server> {
  if (tls_cert === '' && tls_key === '') return createPlainServer(limits, listener)
  if (tls_cert === '' || tls_key === '')
    throw new SnowhatError('E_CONFIG_INVALID', 'phone.tls_cert and phone.tls_key go together', {
      hint: 'set both for HTTPS, or none and let a proxy do it',
    })
  const [cert, key] = await Promise.all([
    readPem(tls_cert, 'the certificate'),
    readPem(tls_key, "the certificate's key"),
  ])
  checkCertificate(cert, tls_cert, 'the certificate file')
  const files = { ...(cert && { cert }), ...(key && { key }) }
  checkPair(files, tls_cert, tls_key)
  return createTlsServer({ ...limits, ...files }, listener)
}
