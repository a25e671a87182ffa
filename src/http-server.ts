import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { SnowhatError, systemCode } from './errors.ts'

/** A port that is taken, in words that name the option which chooses another. */
export function portTaken(port: number, option: string, cause: unknown): SnowhatError {
  return new SnowhatError('E_PORT_TAKEN', `port ${port} is taken by another program`, {
    cause,
    hint: `choose another with ${option}, or stop the other program`,
  })
}

/** Listens; port 0 takes a free one. Rejects with `E_PORT_TAKEN` naming `option`. */
export function listen(server: Server, host: string, port: number, option: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: Error) =>
      reject(systemCode(error) === 'EADDRINUSE' ? portTaken(port, option, error) : error),
    )
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

/** The whole body; `undefined` when it is longer than `maxBytes`, and then the rest is thrown away. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= maxBytes) chunks.push(chunk)
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks)
}

export async function serveHttp(
  listener: RequestListener,
  host: string,
  port: number,
  option: string,
): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer(listener)
  const actual = await listen(server, host, port, option)
  return {
    port: actual,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
