import { randomInt } from 'node:crypto'

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'

/**
 * A random name of `length` characters of [0-9a-z]: 8 for a stream (2.8 × 10^12), 4 for a bridge's
 * instance (1.7 × 10^6; compared only with its predecessors' at one channel).
 */
export function randomId(length: number): string {
  let id = ''
  for (let i = 0; i < length; i++) id += ALPHABET[randomInt(ALPHABET.length)]
  return id
}
