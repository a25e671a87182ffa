import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { SnowhatError } from '../../src/errors.ts'

/** The part of a terminal that is used: what is typed, and where a question is shown. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: { write(text: string): unknown }
}

/** A new passphrase, typed twice and never shown. Throws `E_USAGE` where nobody can be asked. */
export async function askNewPassphrase(terminal: Terminal, stop: AbortSignal): Promise<string> {
  if (terminal.input.isTTY !== true)
    throw new SnowhatError('E_USAGE', 'there is no terminal to ask for a passphrase', {
      hint: 'put it into a file and name that: --private-key-passphrase-file FILE',
    })
  const first = await askHidden('Passphrase of the new key: ', terminal, stop)
  if (first === '') throw new SnowhatError('E_USAGE', 'an empty passphrase encrypts nothing')
  if (first !== (await askHidden('The same again: ', terminal, stop)))
    throw new SnowhatError('E_USAGE', 'the two are not the same; nothing was made')
  return first
}

/** `readline` sets the terminal so that it shows nothing by itself, and what it would show goes nowhere. */
async function askHidden(question: string, { input, output }: Terminal, stop: AbortSignal): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 })
  try {
    return await new Promise<string>((resolve, reject) => {
      const ended = () => reject(new SnowhatError('E_SHUTDOWN', 'stopped; nothing was made'))
      stop.addEventListener('abort', ended, { once: true })
      lines.once('close', ended)
      lines.once('SIGINT', ended)
      lines.question('', resolve)
      output.write(question)
    })
  } finally {
    lines.close()
    output.write('\n')
  }
}
