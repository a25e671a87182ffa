import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { askNewPassphrase } from '../../../cli/keys/passphrase.ts'

function terminal() {
  const modes: boolean[] = []
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (raw: boolean) => modes.push(raw) })
  let shown = ''
  const output = { write: (text: string) => (shown += text) }
  return { input, output, modes, shown: () => shown }
}

const forever = new AbortController().signal

describe('a passphrase that is asked for', () => {
  it('is typed twice, and nothing of it is shown', async () => {
    const { input, output, modes, shown } = terminal()
    const asked = askNewPassphrase({ input, output }, forever)
    input.write('open sesam\x7fme\r')
    await new Promise(setImmediate)
    input.write('open sesame\r')
    expect(await asked).toBe('open sesame')
    expect(shown()).toBe('Passphrase of the new key: \nThe same again: \n')
    expect(modes).toEqual([true, false, true, false])
  })

  it.each([
    ['two that differ', ['one\r', 'other\r'], 'not the same'],
    ['none', ['\r'], 'encrypts nothing'],
    ['Ctrl-C', ['\x03'], 'stopped'],
  ])('is refused: %s', async (_what, typed, words) => {
    const { input, output, modes } = terminal()
    const asked = askNewPassphrase({ input, output }, forever).catch((error: Error) => error.message)
    for (const text of typed) {
      input.write(text)
      await new Promise(setImmediate)
    }
    expect(await asked).toContain(words)
    expect(modes.at(-1)).toBe(false)
  })
})
