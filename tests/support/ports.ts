import { type AddressInfo, createServer } from 'node:net'
import { onTestFinished } from 'vitest'

async function listening(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** A port nobody listens on, from the operating system. */
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

/** A port that is taken until the test is over. */
export async function takenPort(): Promise<number> {
  const { port, close } = await listening()
  onTestFinished(close)
  return port
}
