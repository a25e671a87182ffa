import {
  access,
  chmod,
  chown,
  constants,
  copyFile,
  link,
  readFile,
  realpath,
  rename,
  stat,
  unlink,
} from 'node:fs/promises'
import { dirname } from 'node:path'
import type { PrivateKey } from '../../bridge/snowpipe/sign-in/private-key.ts'
import { SnowhatError, systemCode } from '../../src/errors.ts'
import { makeKey, readKey, syncDirectory, writeKey } from './key-file.ts'

export type RotatedKey = PrivateKey & { readonly pem: string }

/**
 * The files of a rotation: the key in use, the new one beside it as `*.next`, and, once they have changed places, the old one
 * as `*.previous`. What is there says how far the rotation is; nothing else is remembered.
 */
export class RotationFiles {
  readonly file: string
  readonly next: string
  readonly previous: string
  readonly #passphrase: string

  private constructor(file: string, passphrase: string) {
    this.file = file
    this.next = `${file}.next`
    this.previous = `${file}.previous`
    this.#passphrase = passphrase
  }

  /** Links are followed: what is replaced is the file itself. */
  static async of(file: string, passphrase: string): Promise<RotationFiles> {
    return new RotationFiles(await realpath(file), passphrase)
  }

  current(): Promise<RotatedKey> {
    return readKey(this.file, this.#passphrase)
  }

  async ifThere(which: 'next' | 'previous'): Promise<RotatedKey | undefined> {
    const isThere = await access(this[which]).then(
      () => true,
      () => false,
    )
    return isThere ? readKey(this[which], this.#passphrase) : undefined
  }

  /** One that is the key in use was kept for a change that never came: to retire it would be to take away that key. */
  async hasOtherPrevious(current: RotatedKey): Promise<boolean> {
    const previous = await this.ifThere('previous')
    return previous !== undefined && previous.fingerprint !== current.fingerprint
  }

  /** As many bits as the key in use, and for the same readers. */
  async makeNext(bits: number): Promise<RotatedKey> {
    const { mode, uid, gid } = await stat(this.file)
    await writeKey(this.next, await makeKey(bits, this.#passphrase), mode & 0o777)
    await chown(this.next, uid, gid).catch(async (error: unknown) => {
      // A key that its program may not read must never get under the name.
      await unlink(this.next)
      throw new SnowhatError('E_FILE_UNWRITABLE', `the new key cannot be given to the owner of ${this.file}`, {
        cause: error,
        hint: 'run it as root, or as that owner',
      })
    })
    return readKey(this.next, this.#passphrase)
  }

  /** At each moment there is a whole key under the name. Can be repeated when it was interrupted. */
  async switch(): Promise<void> {
    await this.#keepPrevious()
    await rename(this.next, this.file)
    await syncDirectory(dirname(this.file))
  }

  async removePrevious(): Promise<void> {
    await unlink(this.previous)
    await syncDirectory(dirname(this.file))
  }

  async #keepPrevious(): Promise<void> {
    try {
      await link(this.file, this.previous).catch(async (error: unknown) => {
        if (systemCode(error) === 'EEXIST') throw error
        // Not every file system has links.
        await copyFile(this.file, this.previous, constants.COPYFILE_EXCL)
        await chmod(this.previous, (await stat(this.file)).mode & 0o777)
      })
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
      const [kept, current] = await Promise.all([readFile(this.previous), readFile(this.file)])
      if (!kept.equals(current))
        throw new SnowhatError('E_FILE_UNWRITABLE', `${this.previous} is there already, and is not the key in use`, {
          cause: error,
          hint: 'what an earlier rotation has left: if its key is no more registered, remove the file',
        })
    }
  }
}
