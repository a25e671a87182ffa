import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/*
 * Ports below those which the operating system hands out by itself (from 32768 on Linux, 49152 elsewhere): a program that is
 * killed and started again finds its port free, because no outgoing connection and no server at port 0 got it meanwhile.
 */
const FIRST = 20_000
const BEHIND = 32_768

/** At a port that is free. */
export async function listening(): Promise<{ port: number; close: () => Promise<void> }> {
  for (;;) {
    const port = randomInt(FIRST, BEHIND)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error) => ('code' in error && error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (isFree) return { port, close: () => new Promise((resolve) => server.close(() => resolve())) }
  }
}

/** A port nobody listens on. */
export async function freePort(): Promise<number> {
  const { port, close } = await listening()
  await close()
  return port
}

/** All different: they are held at once before any is given. */
export async function freePorts<const N extends readonly string[]>(...names: N): Promise<Record<N[number], number>> {
  const held = await Promise.all(names.map(listening))
  await Promise.all(held.map(({ close }) => close()))
  return Object.fromEntries(names.map((name, i) => [name, held[i]?.port])) as Record<N[number], number>
}
