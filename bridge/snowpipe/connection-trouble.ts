import { CERTIFICATE_TROUBLES, namesInstead, tlsCodeOf } from '../../src/certificate-trouble.ts'
import { messageOf } from '../../src/errors.ts'
import { type Answer, noAnswer } from './answer.ts'

/** A connection that TLS or a proxy does not let come about: no request has left, and a person must act. */
export type ConnectionCode = 'E_SNOWFLAKE_TLS' | 'E_SNOWFLAKE_PROXY'

/** Sentence and remedy; HOST is the host that was asked. */
const TLS: readonly (readonly [pattern: RegExp, sentence: string, hint: string])[] = [
  [
    CERTIFICATE_TROUBLES.expired,
    'the certificate of HOST, or of its CA, has expired',
    'see whether the clock of this machine is right; a proxy that looks into TLS, or an emulator, needs a new certificate',
  ],
  [
    CERTIFICATE_TROUBLES.notYetValid,
    'the certificate of HOST is not valid yet',
    'the clock of this machine, or of the one that made the certificate, is wrong: set it',
  ],
  [
    CERTIFICATE_TROUBLES.otherName,
    'the certificate is not for HOST',
    'is SNOWHAT_SNOWFLAKE_ACCOUNT (or SNOWHAT_SNOWFLAKE_URL) spelled right? An emulator needs a certificate with HOST among its names',
  ],
  [
    CERTIFICATE_TROUBLES.untrusted,
    'the certificate of HOST is not signed by a CA that we trust',
    'if a proxy of yours looks into TLS, or HOST is an emulator, set SNOWHAT_SNOWFLAKE_CA_FILE to its CA (PEM); else somebody stands between',
  ],
  [
    CERTIFICATE_TROUBLES.noTls,
    'HOST does not speak TLS on this port',
    'correct SNOWHAT_SNOWFLAKE_URL: http:// for an emulator without TLS; a proxy that is spoken to in plain text is http:// too',
  ],
]
const PROXY_HINT =
  'put user name and password into SNOWHAT_SNOWFLAKE_PROXY_FILE (or HTTPS_PROXY), as in http://user:password@proxy:3128'

/** Why no answer came, in words that hold no credentials. What is not of TLS or of a proxy passes by itself, or may. */
export function connectionTrouble(error: unknown, { hostname }: URL): Answer {
  const name = tlsCodeOf(error)
  const [, sentence, hint] = TLS.find(([pattern]) => pattern.test(name)) ?? []
  if (sentence !== undefined && hint !== undefined) {
    const words = sentence.replace('HOST', hostname) + namesInstead(error)
    return noAnswer(words, { code: 'E_SNOWFLAKE_TLS', hint: hint.replace('HOST', hostname) })
  }
  // The library has a sentence for it, and no code [observed, undici 7.30].
  const refusal = /Proxy Authentication Required \(407\)|Proxy response \((\d+)\)/.exec(messageOf(error))
  if (refusal !== null) return proxyTrouble(Number(refusal[1] ?? 407), hostname)
  return noAnswer(messageOf(error))
}

/** What a proxy says instead of letting us through. */
function proxyTrouble(status: number, host: string): Answer {
  if (status === 407)
    return noAnswer('the proxy wants a user name and a password', { code: 'E_SNOWFLAKE_PROXY', hint: PROXY_HINT })
  const words = `the proxy does not let us through to ${host}: it answers ${status}`
  // It cannot reach the host just now.
  if (status >= 500) return noAnswer(words)
  return noAnswer(words, {
    code: 'E_SNOWFLAKE_PROXY',
    hint: `allow ${host}, port 443, in the proxy; or name another one in SNOWHAT_SNOWFLAKE_PROXY`,
  })
}
