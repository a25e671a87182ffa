import type { SecureContextOptions } from 'node:tls'
import { CERTIFICATE_TROUBLES, namesInstead, tlsCodeOf } from './certificate-trouble.ts'
import { SnowhatError } from './errors.ts'
import type { MqttSettings } from './mqtt-section.ts'
import { checkCertificate, checkPair, readPem } from './pem-files.ts'

/**
 * The files of `mqtt.ca_file`, `mqtt.cert_file` and `mqtt.key_file`, as they are in PEM. Throws `E_CONFIG_INVALID`, which no second
 * attempt can mend: a file that cannot be read or is none of that kind, a certificate without its key, or a key of another one.
 */
export async function readTlsFiles(
  settings: Pick<MqttSettings, 'ca_file' | 'cert_file' | 'key_file'>,
): Promise<SecureContextOptions> {
  const { ca_file, cert_file, key_file } = settings
  if ((cert_file === '') !== (key_file === ''))
    throw new SnowhatError('E_CONFIG_INVALID', 'mqtt.cert_file and mqtt.key_file belong together', {
      hint: `set ${cert_file === '' ? 'SNOWHAT_MQTT_CERT_FILE' : 'SNOWHAT_MQTT_KEY_FILE'} too: a client certificate is of use only with its key`,
    })
  const [ca, cert, key] = await Promise.all([
    readPem(ca_file, 'the CA file'),
    readPem(cert_file, 'the client certificate'),
    readPem(key_file, "the client certificate's key"),
  ])
  checkCertificate(ca, ca_file, 'the CA file')
  checkCertificate(cert, cert_file, 'the client certificate')
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  checkPair(files, cert_file, key_file)
  return files
}

/**
 * What went wrong with TLS on a connection that the broker has not said a word on, in a sentence and with what a person can do
 * about it; undefined when it was something else. The codes are those of OpenSSL's verification and alerts as Node names them [observed, Node 24 against Mosquitto 2.0].
 * It may be tried again: certificates are renewed, and clocks set, while a program waits.
 */
export function tlsFailure(error: unknown, url: string): SnowhatError | undefined {
  if (!/^(mqtts|wss):/.test(url)) return undefined
  const name = tlsCodeOf(error)
  const [, sentence, hint] = FAILURES.find(([pattern]) => pattern.test(name)) ?? []
  if (sentence === undefined || hint === undefined) return undefined
  const host = new URL(url).hostname
  return new SnowhatError('E_MQTT_TLS', `${sentence.replace('HOST', host)}${namesInstead(error)}`, {
    hint: hint.replace('HOST', host),
    cause: error,
    retryable: true,
  })
}

const FAILURES: readonly (readonly [code: RegExp, sentence: string, hint: string])[] = [
  [
    CERTIFICATE_TROUBLES.expired,
    "the MQTT broker's certificate, or the CA's, has expired",
    'renew it at the broker (deploy/tls/make-certificates.sh does that), and see whether the clock of this machine is right',
  ],
  [
    CERTIFICATE_TROUBLES.notYetValid,
    "the MQTT broker's certificate is not valid yet",
    'the clock of this machine, or of the one that made the certificate, is wrong: set it',
  ],
  [
    CERTIFICATE_TROUBLES.otherName,
    "the MQTT broker's certificate is not for HOST",
    'use one of its names in SNOWHAT_MQTT_URL, or make it again with HOST among its names (NAMES of deploy/tls/make-certificates.sh)',
  ],
  [
    CERTIFICATE_TROUBLES.untrusted,
    "the MQTT broker's certificate is not signed by a CA that we trust",
    "set SNOWHAT_MQTT_CA_FILE to the CA that signed the broker's certificate (ca.crt)",
  ],
  [
    /ALERT_CERTIFICATE_EXPIRED/,
    'the MQTT broker refuses our client certificate: it has expired',
    'renew the file of SNOWHAT_MQTT_CERT_FILE (deploy/tls/make-certificates.sh does that)',
  ],
  [
    /ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)/,
    'the MQTT broker wants a client certificate',
    "set SNOWHAT_MQTT_CERT_FILE and SNOWHAT_MQTT_KEY_FILE to a certificate that the broker's CA has signed",
  ],
  [
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_(UNKNOWN|REVOKED)|UNSUPPORTED_CERTIFICATE|DECRYPT_ERROR)/,
    'the MQTT broker refuses our client certificate',
    "set SNOWHAT_MQTT_CERT_FILE and SNOWHAT_MQTT_KEY_FILE to a certificate that the broker's CA has signed",
  ],
  [
    CERTIFICATE_TROUBLES.noTls,
    'the MQTT broker does not speak TLS on this port',
    'use its port for TLS in SNOWHAT_MQTT_URL (8883 as a rule), or mqtt:// instead of mqtts://',
  ],
  [
    // Mosquitto's answer to TLS on a plain port [observed, 2.0]. And in TLS 1.3 the client is ready before the broker has looked at
    // its certificate, and what it sends then may make the broker's system throw the alert away that says what is wrong [observed].
    /^(ECONNRESET|EPIPE)$/,
    'the MQTT broker has ended the connection without a word',
    'is this its port for TLS (8883 as a rule)? Then it wants another client certificate (SNOWHAT_MQTT_CERT_FILE, SNOWHAT_MQTT_KEY_FILE); its log says more',
  ],
]
