import { type Call, Refusal } from './answer.ts'
import { decodedBody } from './content-encoding.ts'

/** Body of one append, after compression [documented]; the code of the refusal is [assumed]. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024
/**
 * The lines of an NDJSON body. The last newline may be missing and `\r\n` is tolerated [documented]; empty lines are passed
 * over [assumed]. A line that is not JSON is a row error later, not one of the request [assumed from the content type
 * `json-invalid` of error tables].
 */
export async function rowsOf(call: Call): Promise<{ lines: string[]; bytes: number }> {
  if (call.oversize)
    throw new Refusal(413, 'REQUEST_ENTITY_TOO_LARGE', `The request body is larger than ${MAX_BODY_BYTES} bytes`)
  const bytes = await decodedBody(call)
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
