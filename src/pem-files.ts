import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { messageOf, SnowhatError } from './errors.ts'

/*
 * Certificates and keys as files, for whoever connects or listens. Each throws `E_CONFIG_INVALID` with the file in the sentence:
 * OpenSSL's own words name neither file nor remedy.
 */

/** `undefined` where no file is named. */
export async function readPem(path: string, what: string): Promise<Buffer | undefined> {
  if (path === '') return undefined
  try {
    return await readFile(path)
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `cannot read ${what} ${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** Node takes a CA file without a certificate for an empty list of CAs [observed, Node 24], and then trusts nobody. */
export function checkCertificate(pem: Buffer | undefined, path: string, what: string): void {
  if (pem === undefined) return
  try {
    new X509Certificate(pem)
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `${what} ${path} holds no certificate: ${messageOf(error)}`, {
      hint: 'it has to be in PEM, and begins with -----BEGIN CERTIFICATE-----',
      cause: error,
    })
  }
}

/** That the key belongs to the certificate. */
export function checkPair(files: SecureContextOptions, certFile: string, keyFile: string): void {
  try {
    createSecureContext(files)
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `${keyFile} is no key for ${certFile}: ${messageOf(error)}`, {
      hint: 'give a private key in PEM, without a passphrase, that the certificate was made for',
      cause: error,
    })
  }
}
