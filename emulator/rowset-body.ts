import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { messageOf } from '../src/errors.ts'
import { type Call, headerOf, Refusal } from './answer.ts'

/** Body of one append, after compression [documented]; the code of the refusal is [assumed]. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024
/** What a compressed body may grow to. */
const MAX_ROWS_BYTES = 256 * 1024 * 1024

const gunzip = promisify(zlib.gunzip)

/**
 * The lines of an NDJSON body. The last newline may be missing and `\r\n` is tolerated [documented]; empty lines are passed
 * over [assumed]. A line that is not JSON is a row error later, not one of the request [assumed from the content type
 * `json-invalid` of error tables].
 */
export async function rowsOf(call: Call): Promise<{ lines: string[]; bytes: number }> {
  if (call.oversize)
    throw new Refusal(413, 'REQUEST_ENTITY_TOO_LARGE', `The request body is larger than ${MAX_BODY_BYTES} bytes`)
  const bytes = await decompressed(call)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Refusal(400, 'INVALID_REQUEST', 'The request body is not UTF-8')
  }
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  const rows = lines.filter((line) => line.trim() !== '')
  if (rows.length === 0) throw new Refusal(400, 'INVALID_REQUEST', 'The request body holds no rows')
  return { lines: rows, bytes: bytes.length }
}

async function decompressed(call: Call): Promise<Uint8Array> {
  const encoding = (headerOf(call, 'content-encoding') ?? 'identity').toLowerCase()
  try {
    if (encoding === 'identity') return call.body
    if (encoding === 'gzip') return await gunzip(call.body, { maxOutputLength: MAX_ROWS_BYTES })
    if (encoding === 'zstd' && zstd) return await zstd(call.body)
  } catch (error) {
    throw new Refusal(400, 'INVALID_REQUEST', `The request body is not ${encoding}: ${messageOf(error)}`)
  }
  throw new Refusal(
    415,
    'UNSUPPORTED_CONTENT_ENCODING',
    encoding === 'zstd'
      ? 'This emulator runs on a Node without zstd (it came with Node 22.15); send gzip or no compression'
      : `Content-Encoding ${encoding} is not supported; send gzip, zstd or none`,
  )
}

/** Node has it since 22.15. */
const zstd: ((body: Uint8Array) => Promise<Buffer>) | undefined = zstdOf(zlib)

function zstdOf(module: object): ((body: Uint8Array) => Promise<Buffer>) | undefined {
  if (!('zstdDecompress' in module) || typeof module.zstdDecompress !== 'function') return undefined
  return promisify(module.zstdDecompress as (body: Uint8Array, done: (e: Error | null, out: Buffer) => void) => void)
}
