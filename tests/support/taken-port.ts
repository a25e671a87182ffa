import { onTestFinished } from 'vitest'
import { listening } from './ports.ts'

/** A port that is taken until the test is over. */
export async function takenPort(): Promise<number> {
  const { port, close } = await listening()
  onTestFinished(close)
  return port
}
