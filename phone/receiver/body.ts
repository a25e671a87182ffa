import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { systemCode } from '../../src/errors.ts'

const unpack = promisify(gunzip)

export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' | 'bad-encoding' | 'bad-gzip' }

/** The body, unpacked where a proxy has packed it. What is longer than `maxBytes`, packed or not, is not read to its end. */
export async function readMessageBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (!['identity', 'gzip', 'x-gzip'].includes(encoding)) return { kind: 'bad-encoding' }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return { kind: 'too-large' }
  const bytes = await firstBytes(request, maxBytes + 1)
  if (bytes.length > maxBytes) return { kind: 'too-large' }
  if (encoding === 'identity') return { kind: 'whole', bytes }
  try {
    return { kind: 'whole', bytes: await unpack(bytes, { maxOutputLength: maxBytes }) }
  } catch (error) {
    return { kind: systemCode(error) === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'bad-gzip' }
  }
}

/** At least so many bytes of the body, where it has as many; the rest is left unread. Rejects when the sender has gone. */
export async function firstBytes(request: IncomingMessage, atLeast: number): Promise<Buffer> {
  // While it waited for its turn: nothing more would be heard of it.
  if (request.destroyed) throw new Error('the sender has gone')
  const chunks: Buffer[] = []
  let bytes = 0
  // Not `for await`: leaving that early would end the connection before it was answered.
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      if (bytes >= atLeast) return
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= atLeast) resolve()
    })
    request.once('end', resolve)
    request.once('error', reject)
    request.once('close', () => reject(new Error('the sender has gone')))
  })
  return Buffer.concat(chunks)
}
