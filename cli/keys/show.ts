import { resolveSnowflake } from '../../bridge/snowflake-target.ts'
import { createIdentity, credentialKindOf } from '../../bridge/snowpipe/credentials.ts'
import { HOW_TO_MAKE_A_KEY, readPrivateKey } from '../../bridge/snowpipe/sign-in/private-key.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Invocation } from '../command.ts'
import { setKey } from './alter-user.ts'
import { othersMayRead, readKey } from './key-file.ts'
import { table } from './words.ts'

/** `snowhat keys show [FILE]`: of the key itself nothing but its public half. */
export async function show(invocation: Invocation, [file]: readonly string[]): Promise<number> {
  const { settings, flags, print } = invocation
  const { snowflake } = settings
  if (file === undefined && credentialKindOf(snowflake) !== 'private_key') return showToken(invocation)
  const path = file ?? snowflake.private_key_file
  if (path === '' && snowflake.private_key === '')
    throw new SnowhatError('E_CONFIG_INVALID', 'no key is configured', {
      hint: `name a file, or set SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE; ${HOW_TO_MAKE_A_KEY}`,
    })
  const { private_key, private_key_passphrase } = snowflake
  const key =
    path === '' ? readPrivateKey(private_key, private_key_passphrase) : await readKey(path, private_key_passphrase)
  if (flags.public === true) {
    print(key.publicKey.export({ type: 'spki', format: 'pem' }).toString().trimEnd())
    return 0
  }
  const isOpen = await othersMayRead(path)
  const statement = setKey(snowflake.user, 'RSA_PUBLIC_KEY', key.publicKey)
  if (flags.json === true) {
    const { form, bits, fingerprint } = key
    print(
      JSON.stringify({
        kind: 'private_key',
        file: path || null,
        form,
        bits,
        fingerprint,
        others_may_read: isOpen,
        statement,
      }),
    )
    return 0
  }
  table(print, {
    file: path === '' ? 'none: it stands in the settings' : path,
    form: `${key.form}, RSA with ${key.bits} bits`,
    fingerprint: key.fingerprint,
    user: snowflake.user,
    ...(isOpen && { note: `others may read it: chmod 600 ${path}` }),
  })
  print('')
  print(statement)
  return 0
}

function showToken({ settings, flags, clock, print }: Invocation): number {
  const snowflake = resolveSnowflake(settings.snowflake)
  const kind = credentialKindOf(snowflake)
  const { expiresAt } = createIdentity(snowflake, clock)
  const file = snowflake[`${kind}_file`]
  const expires_at = expiresAt === null ? null : new Date(expiresAt).toISOString()
  if (flags.json === true) print(JSON.stringify({ kind, file: file || null, expires_at }))
  else
    table(print, {
      kind: kind === 'pat' ? 'programmatic access token' : 'OAuth access token',
      file: file === '' ? 'none: it stands in the settings' : file,
      expires: expires_at ?? 'the token does not say',
    })
  return 0
}
