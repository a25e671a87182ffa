import { createServer } from 'node:http'
import { answer } from './program.ts'

/* The least a receiver of phones can be: it reads a message, parses it, throws it away, and says 200. */

export interface BareReceiverQuestion {
  readonly port: number
}

answer<BareReceiverQuestion>(async ({ port }) => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.once('end', () => {
      const { payload } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { payload: unknown[] }
      response.end(JSON.stringify({ status: 'success', processed_readings: payload.length }))
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return null
})
