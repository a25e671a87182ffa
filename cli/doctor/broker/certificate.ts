import { type ConnectionOptions, connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { hintOf, messageOf } from '../../../src/errors.ts'
import { readTlsFiles, tlsFailure } from '../../../src/mqtt-tls.ts'
import type { Check } from '../check.ts'
import { broken, ok, skipped, warn } from '../finding.ts'

const SOON_MS = 14 * 86_400_000
const HANDSHAKE_MS = 5_000

/** A handshake as the programs do it. */
export const certificateCheck: Check = {
  id: 'broker.tls',
  needs: ['address'],
  gives: ['way'],
  async run(examination, signal) {
    const { settings, clock } = examination
    const { host, port, isTls } = examination.take('address')
    if (!isTls) {
      examination.give('way', 'plain')
      return [skipped('broker.tls', 'mqtt:// and ws:// go without TLS; passwords and readings can be read on the way')]
    }
    try {
      const files = await readTlsFiles(settings.mqtt)
      const { version, certificate } = await handshake({ ...files, host, port, ...servername(host) }, signal)
      examination.give('way', 'TLS')
      const end = Date.parse(certificate.valid_to)
      const what = `${version}, certificate for ${certificate.subjectaltname ?? certificate.subject?.CN ?? 'nobody'}, until ${certificate.valid_to}`
      if (end - clock.now() >= SOON_MS) return [ok('broker.tls', what)]
      const fix = 'renew it at the broker (deploy/tls/make-certificates.sh does that)'
      return [warn('broker.tls', what, { why: 'that is less than two weeks', fix })]
    } catch (error) {
      const told = tlsFailure(error, settings.mqtt.url) ?? error
      const fix = hintOf(told) ?? 'compare SNOWHAT_MQTT_CA_FILE with the CA that signed the broker’s certificate'
      return [broken('broker.tls', messageOf(told), { fix })]
    }
  },
}

interface Shaken {
  readonly version: string
  readonly certificate: PeerCertificate
}

function handshake(options: ConnectionOptions, signal: AbortSignal): Promise<Shaken> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ ...options, timeout: HANDSHAKE_MS })
    signal.addEventListener('abort', () => socket.destroy(new Error('stopped')), { once: true })
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerCertificate()
      const version = socket.getProtocol() ?? 'TLS'
      socket.destroy()
      resolve({ version, certificate })
    })
    socket.once('timeout', () => socket.destroy(new Error(`no handshake within ${HANDSHAKE_MS / 1000} s`)))
    socket.once('error', reject)
  })
}

/** An address in numbers cannot be asked for by name [documented, RFC 6066]. */
function servername(host: string): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host }
}
