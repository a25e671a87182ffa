import { LEAST_BITS, readPrivateKey } from '../../bridge/snowpipe/sign-in/private-key.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Invocation } from '../command.ts'
import { setKey } from './alter-user.ts'
import { makeKey, writeKey } from './key-file.ts'
import { askNewPassphrase } from './passphrase.ts'

const DEFAULT_FILE = 'snowhat_key.p8'
const BITS = ['2048', '3072', '4096']

/** `snowhat keys new [FILE]`. */
export async function newKey(invocation: Invocation, [file = DEFAULT_FILE]: readonly string[]): Promise<number> {
  const { settings, flags, print, stop } = invocation
  const { user, private_key_passphrase } = settings.snowflake
  const bits = flags.bits ?? String(LEAST_BITS)
  if (!BITS.includes(String(bits))) throw new SnowhatError('E_USAGE', `a key has ${BITS.join(', ')} bits, not ${bits}`)
  const passphrase =
    private_key_passphrase === '' && flags.encrypt === true
      ? await askNewPassphrase({ input: process.stdin, output: process.stderr }, stop)
      : private_key_passphrase
  const pem = await makeKey(Number(bits), passphrase)
  const key = readPrivateKey(pem, passphrase)
  await writeKey(file, pem)
  const statement = setKey(user, 'RSA_PUBLIC_KEY', key.publicKey)
  if (flags.json === true) {
    print(JSON.stringify({ file, form: key.form, bits: key.bits, fingerprint: key.fingerprint, statement }))
    return 0
  }
  print(`A new key is in ${file}: ${key.form}, RSA with ${key.bits} bits, readable by you alone.`)
  print(`Fingerprint ${key.fingerprint}`)
  print('')
  print(
    'Set SNOWHAT_SNOWFLAKE_PRIVATE_KEY_FILE to the file. In an account that has no such user yet, what snowhat setup-sql',
  )
  print(
    'prints then makes it, with this key. Where the user is there, run in Snowflake, with a role that may change it (its',
  )
  print('owner, such as SECURITYADMIN):')
  print('')
  print(`  ${statement}`)
  print('')
  print('Then see whether it signs in: snowhat keys check')
  return 0
}
