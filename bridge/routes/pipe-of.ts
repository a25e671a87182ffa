import { createHash } from 'node:crypto'

/**
 * The pipe of a device, by rendezvous hashing: every (pipe, device) pair has a weight, the heaviest pipe has the
 * device. Adding a pipe moves only the devices that it wins.
 */
export function pipeOf(hostname: string, pipes: readonly string[]): string {
  let best = { pipe: pipes[0] ?? '', weight: '' }
  for (const pipe of pipes) {
    const weight = createHash('sha256').update(`${pipe}\0${hostname}`).digest('hex')
    if (weight > best.weight) best = { pipe, weight }
  }
  return best.pipe
}
