import { readFile } from 'node:fs/promises'
import { messageOf } from '../../../src/errors.ts'
import type { Log } from '../../../src/log.ts'

/**
 * A secret of the settings: its text, and the file it came from where there is one. The file may be replaced while the program
 * runs; `look` notices by its content, so that no watch can be lost and every file system will do.
 */
export class SecretFile {
  readonly #file: string
  readonly #log: Log
  readonly #flawOf: (text: string) => string | undefined
  #text: string
  #trouble = ''

  /** `flawOf` says in words why a text cannot be used, if it cannot. */
  constructor(text: string, file: string, log: Log, flawOf: (text: string) => string | undefined = () => undefined) {
    this.#flawOf = flawOf
    this.#text = text
    this.#file = file
    this.#log = log
  }

  get text(): string {
    return this.#text
  }

  /** Reads the file again; true when it holds something else. One that is away, empty or flawed is on its way: the old stays. */
  async look(): Promise<boolean> {
    if (this.#file === '') return false
    let text: string
    try {
      text = (await readFile(this.#file, 'utf8')).replace(/\r?\n$/, '')
      const flaw = text.trim() === '' ? 'it is empty' : this.#flawOf(text)
      if (flaw !== undefined) throw new Error(flaw)
      this.#trouble = ''
    } catch (error) {
      this.#tell(messageOf(error))
      return false
    }
    if (text === this.#text) return false
    this.#text = text
    return true
  }

  #tell(trouble: string): void {
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    this.#log.warn(
      { file: this.#file, reason: trouble },
      'the file of a credential cannot be read; going on with what it held before',
    )
  }
}
