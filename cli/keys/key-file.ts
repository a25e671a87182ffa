import { generateKeyPair } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { type PrivateKey, readPrivateKey } from '../../bridge/snowpipe/sign-in/private-key.ts'
import { messageOf, SnowhatError, systemCode } from '../../src/errors.ts'

/** Of its owner alone. */
const PRIVATE = 0o600

/** PKCS#8 PEM; encrypted by AES-256 where there is a passphrase, as Snowflake's tools want it [documented]. */
export async function makeKey(bits: number, passphrase: string): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: {
      type: 'pkcs8',
      format: 'pem',
      ...(passphrase !== '' && { cipher: 'aes-256-cbc', passphrase }),
    },
  })
  return privateKey
}

/** Never writes over a file. Throws `E_FILE_UNWRITABLE`. */
export async function writeKey(file: string, pem: string, mode = PRIVATE): Promise<void> {
  try {
    const handle = await open(file, 'wx', PRIVATE)
    try {
      await handle.writeFile(pem)
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await syncDirectory(dirname(file))
  } catch (error) {
    const isThere = systemCode(error) === 'EEXIST'
    throw new SnowhatError('E_FILE_UNWRITABLE', isThere ? `${file} is there already` : messageOf(error), {
      cause: error,
      hint: isThere
        ? 'no key is ever overwritten: name another file, or let snowhat keys rotate replace the key in use'
        : 'is the folder there, and may this user write to it?',
    })
  }
}

/** Throws `E_FILE_UNREADABLE`, `E_KEY_INVALID`. */
export async function readKey(file: string, passphrase: string): Promise<PrivateKey & { readonly pem: string }> {
  const pem = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new SnowhatError('E_FILE_UNREADABLE', `cannot read the key ${file}: ${messageOf(error)}`, { cause: error })
  })
  return { ...readPrivateKey(pem, passphrase), pem }
}

/** Of the file of a secret; of none, `''`, nobody may. */
export async function othersMayRead(file: string): Promise<boolean> {
  return file !== '' && ((await stat(file)).mode & 0o077) !== 0
}

/** After it, names in the directory survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
