import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { messageOf } from '../src/errors.ts'
import { type Call, headerOf, Refusal } from './answer.ts'
import { zstdDecompressed, zstdFrames } from './zstd.ts'

/** What a compressed body may grow to [assumed]. */
export const MAX_DECODED_BYTES = 256 * 1024 * 1024

type Decode = (body: Uint8Array, maxBytes: number) => Promise<Uint8Array>

const gunzip = promisify(zlib.gunzip)

/**
 * The encodings of an append [documented]. The header `x-snowflake-uncompressed-content-length`, which the official SDK sends with
 * zstd, is not needed to read it and not compared [observed: a client that sends none is served].
 */
const DECODERS: Readonly<Record<string, Decode>> = {
  identity: async (body) => body,
  gzip: (body, maxOutputLength) => gunzip(body, { maxOutputLength }),
  zstd: zstdOf(zlib) ?? (async (body, maxBytes) => zstdDecompressed(body, maxBytes)),
}

/** The body as it was before compression. 400 if it cannot be read or is too large then, 415 for another encoding [assumed]. */
export async function decodedBody(call: Call): Promise<Uint8Array> {
  const encoding = (headerOf(call, 'content-encoding') ?? 'identity').trim().toLowerCase()
  const decode = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined
  if (decode === undefined)
    throw new Refusal(
      415,
      'UNSUPPORTED_CONTENT_ENCODING',
      `Content-Encoding ${encoding} is not supported; send ${Object.keys(DECODERS).join(', ')} or none`,
    )
  try {
    return await decode(call.body, MAX_DECODED_BYTES)
  } catch (error) {
    throw new Refusal(400, 'INVALID_REQUEST', `The request body is not ${encoding}: ${messageOf(error)}`)
  }
}

/** Node has it since 22.15. */
function zstdOf(module: object): Decode | undefined {
  if (!('zstdDecompress' in module) || typeof module.zstdDecompress !== 'function') return undefined
  const decompress = promisify(
    module.zstdDecompress as (
      body: Uint8Array,
      options: { readonly maxOutputLength: number },
      done: (error: Error | null, decoded: Buffer) => void,
    ) => void,
  )
  return async (body, maxBytes) => {
    const decoded: Buffer[] = []
    let left = maxBytes
    for (const frame of zstdFrames(body, maxBytes)) {
      // Node takes no limit below 1.
      const content = await decompress(frame, { maxOutputLength: Math.max(1, left) })
      left -= content.length
      decoded.push(content)
    }
    return Buffer.concat(decoded)
  }
}
