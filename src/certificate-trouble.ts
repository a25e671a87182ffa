import { messageOf, systemCode } from './errors.ts'

/**
 * What is wrong with a server's certificate, or with its TLS, by the codes of OpenSSL's verification and alerts as Node names them
 * [observed, Node 20 to 24]. A person must act, and each wants another remedy.
 */
export const CERTIFICATE_TROUBLES = {
  expired: /^CERT_HAS_EXPIRED$/,
  notYetValid: /^CERT_NOT_YET_VALID$/,
  otherName: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
  untrusted:
    /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT(_LOCALLY)?|VERIFY_LEAF_SIGNATURE)|CERT_(SIGNATURE_FAILURE|UNTRUSTED)|INVALID_CA)$/,
  noTls: /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/,
} as const

/** The name of a failure that those patterns are for. */
export function tlsCodeOf(error: unknown): string {
  const code = systemCode(error) ?? ''
  // While the handshake is under way the library's own name for it stands in the sentence only, in small letters [observed].
  return code === 'EPROTO' || code.startsWith('ERR_SSL_') ? messageOf(error).toUpperCase().replaceAll(' ', '_') : code
}

/** The names a certificate has after all, where Node tells them. */
export function namesInstead(error: unknown): string {
  const names = error instanceof Error && 'cert' in error ? (error.cert as { subjectaltname?: string }) : undefined
  return names?.subjectaltname === undefined ? '' : ` but for ${names.subjectaltname}`
}
