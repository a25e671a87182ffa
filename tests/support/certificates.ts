import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificate {
  /** Paths of PEM files. */
  readonly cert: string
  readonly key: string
}

/** A CA of its own in `directory`, and certificates that it signs. */
export function certificateAuthority(directory: string, name = 'ca') {
  const ca = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...newKey, '-keyout', ca.key, '-out', ca.cert, '-subj', `/CN=${name}`, '-days', '30')
  return {
    ca: ca.cert,
    /** For these host names; `expired`: since yesterday. */
    sign(file: string, hosts: readonly string[], expired = false): Certificate {
      const made = { cert: join(directory, `${file}.crt`), key: join(directory, `${file}.key`) }
      const names = hosts.map((host) => `${/^[\d.]+$/.test(host) ? 'IP' : 'DNS'}:${host}`).join(',')
      const request = join(directory, `${file}.csr`)
      openssl('req', '-new', ...newKey, '-keyout', made.key, '-out', request, '-subj', `/CN=${hosts[0]}`)
      if (expired) signExpired(directory, ca, request, made.cert, names, openssl)
      else {
        const extensions = ['-days', '30', '-addext', `subjectAltName=${names}`]
        openssl('req', '-x509', '-in', request, '-CA', ca.cert, '-CAkey', ca.key, '-out', made.cert, ...extensions)
      }
      return made
    },
  }
}

/** Dates of one's own choice take the long way, a database included, before OpenSSL 3.4. */
function signExpired(
  directory: string,
  ca: Certificate,
  request: string,
  out: string,
  names: string,
  openssl: (...args: string[]) => Buffer,
): void {
  const config = join(directory, 'expired.cnf')
  const lines = [
    '[ca]\ndefault_ca=own\n[own]',
    `database=${join(directory, 'index.txt')}\nnew_certs_dir=${directory}\nrand_serial=yes`,
    'default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n[names]',
    `subjectAltName=${names}`,
  ]
  writeFileSync(join(directory, 'index.txt'), '')
  writeFileSync(config, `${lines.join('\n')}\n`)
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z']
  openssl(
    ...['ca', '-batch', '-config', config, '-in', request, '-cert', ca.cert, '-keyfile', ca.key, '-out', out],
    ...['-notext', '-extensions', 'names', ...dates],
  )
}

/** Key and certificate as a TLS server wants them. */
export function tlsFiles({ cert, key }: Certificate): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) }
}
