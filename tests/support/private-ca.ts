import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** PEM files. */
export interface PrivateCa {
  /** Of the authority, which nobody trusts unless told to. */
  readonly caFile: string
  readonly ca: string
  /** Of a server at `localhost` and 127.0.0.1. */
  readonly certFile: string
  readonly keyFile: string
}

/** An authority of its own and a server certificate from it, good for a day. */
export function privateCa(directory: string): PrivateCa {
  const file = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const [caFile, certFile, keyFile] = [file('ca.pem'), file('server.pem'), file('server.key')]
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const forCa = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign']
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    file('ca.key'),
    '-out',
    caFile,
    '-days',
    '1',
    '-subj',
    '/CN=CA',
    ...forCa,
  )
  openssl('req', ...newKey, '-keyout', keyFile, '-out', file('server.csr'), '-subj', '/CN=localhost')
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n'
  writeFileSync(file('server.ext'), names)
  const signing = ['-CA', caFile, '-CAkey', file('ca.key'), '-set_serial', '1', '-days', '1']
  openssl('x509', '-req', '-in', file('server.csr'), ...signing, '-extfile', file('server.ext'), '-out', certFile)
  return { caFile, ca: readFileSync(caFile, 'utf8'), certFile, keyFile }
}
