import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import type { SnowflakeSettings } from '../config.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** Per host. As many as appends that may be under way at once, twice over: opens and polls go beside them. */
const CONNECTIONS = 64
/** Idle connections are kept for so long; a server that says less is believed. */
const KEEP_ALIVE_MS = 60_000
/** Spoken to directly, whatever proxy the environment names: an emulator. */
const OF_THIS_MACHINE = 'localhost,127.0.0.1,[::1]'

/** Of the settings, how Snowflake is reached. */
export type WayOut = Pick<SnowflakeSettings, 'proxy' | 'ca_file'>
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>

/**
 * The pool of connections to Snowflake: kept alive, through the proxy of `snowflake.proxy` or else of the environment, with the CA of
 * `snowflake.ca_file` beside those of the system. Throws `E_CONFIG_INVALID`.
 */
export function createDispatcher(way: WayOut, env: ProxyEnvironment = process.env): Dispatcher {
  const ca = trusted(way.ca_file, env)
  return new EnvHttpProxyAgent({
    connections: CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS, ...(ca && { ca }) },
    ...(ca && { requestTls: { ca }, proxyTls: { ca } }),
    ...proxies(way.proxy, env),
  })
}

/** Throws `E_CONFIG_INVALID` for what `createDispatcher` could not use. */
export function checkWayOut(way: WayOut): void {
  proxies(way.proxy, {})
  trusted(way.ca_file, {})
}

/** Small letters go before capitals, as everywhere [observed: curl, undici]. */
function proxies(setting: string, env: ProxyEnvironment): { httpProxy: string; httpsProxy: string; noProxy: string } {
  if (setting === 'none') return { httpProxy: '', httpsProxy: '', noProxy: '*' }
  if (setting !== '') {
    checkProxy(setting)
    return { httpProxy: setting, httpsProxy: setting, noProxy: '' }
  }
  const httpProxy = env.http_proxy ?? env.HTTP_PROXY ?? ''
  const httpsProxy = env.https_proxy ?? env.HTTPS_PROXY ?? ''
  for (const proxy of [httpProxy, httpsProxy]) if (proxy !== '') checkProxy(proxy)
  const noProxy = env.no_proxy ?? env.NO_PROXY ?? ''
  return { httpProxy, httpsProxy, noProxy: [noProxy, OF_THIS_MACHINE].filter((hosts) => hosts !== '').join(',') }
}

/** The value is not repeated: it may hold a password. */
function checkProxy(proxy: string): void {
  const { protocol, hostname } = URL.canParse(proxy) ? new URL(proxy) : { protocol: '', hostname: '' }
  if ((protocol === 'http:' || protocol === 'https:') && hostname !== '') return
  throw new SnowhatError('E_CONFIG_INVALID', 'the proxy for Snowflake is no address such as http://proxy:3128', {
    hint: 'it comes from SNOWHAT_SNOWFLAKE_PROXY, its _FILE, HTTPS_PROXY or HTTP_PROXY; "none" goes without one',
  })
}

/** `undefined` leaves it to Node. A list of our own takes the place of Node's, so it has to hold what that has. */
function trusted(file: string, env: ProxyEnvironment): string[] | undefined {
  if (file === '') return undefined
  return [...systemCertificates(env), ...certificatesIn(file)]
}

function certificatesIn(file: string): string[] {
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
    new X509Certificate(pem)
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `snowflake.ca_file: cannot use ${file}: ${messageOf(error)}`, {
      hint: 'it has to be a certificate in PEM, and begins with -----BEGIN CERTIFICATE-----',
      cause: error,
    })
  }
  return [pem]
}

/** Node says since 22.15 what it trusts, the CAs of `NODE_EXTRA_CA_CERTS` included. */
function systemCertificates(env: ProxyEnvironment): readonly string[] {
  if ('getCACertificates' in tls && typeof tls.getCACertificates === 'function')
    return tls.getCACertificates('default') as string[]
  const extra = env.NODE_EXTRA_CA_CERTS
  return [...tls.rootCertificates, ...(extra === undefined || extra === '' ? [] : [readFileSync(extra, 'utf8')])]
}
