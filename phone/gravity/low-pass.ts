import type { Axes } from '../wire/message.ts'
import type { Timed } from './nearest-in-time.ts'

const TIME_CONSTANT_US = 1_000_000

/**
 * Gravity as what hardly changes of the acceleration: an exponential low-pass per axis, time constant 1 s, begun with the first
 * sample (rule G-2). A sample older than the one before changes nothing.
 */
export function lowPass(before: Timed | null, sample: Timed): Timed {
  if (before === null) return sample
  const elapsedUs = sample.tUs - before.tUs
  if (elapsedUs <= 0) return before
  const alpha = 1 - Math.exp(-elapsedUs / TIME_CONSTANT_US)
  const axis = (name: keyof Axes) => before[name] + alpha * (sample[name] - before[name])
  return { tUs: sample.tUs, x: axis('x'), y: axis('y'), z: axis('z') }
}
