import type { Numbers } from './numbers.ts'

/**
 * A service on a bad day, as a list for `snowhat emulator --faults`: answers and requests that get lost, slow ones,
 * throttling, channels that have to be opened anew.
 */
export function badDay(numbers: Numbers): object[] {
  const seed = () => Math.floor(numbers.between(1, 1_000_000))
  const slow = () => Math.round(numbers.between(100, 900))
  return [
    { operation: 'append', probability: 0.04, seed: seed(), action: 'lose-answer' },
    { operation: 'append', probability: 0.04, seed: seed(), action: 'lose-request' },
    { operation: 'append', probability: 0.06, seed: seed(), action: 'delay', ms: slow() },
    {
      operation: 'append',
      probability: 0.03,
      seed: seed(),
      action: 'answer',
      status: 503,
      body: 'ERR_GENERAL_EXCEPTION_RETRY_REQUEST',
    },
    {
      operation: 'append',
      probability: 0.03,
      seed: seed(),
      action: 'answer',
      status: 429,
      headers: { 'retry-after': '1' },
      body: { code: '390701', message: 'Request rate exceeds max. Try later.' },
    },
    {
      operation: 'append',
      probability: 0.02,
      seed: seed(),
      action: 'answer',
      status: 400,
      body: { code: 'STALE_CONTINUATION_TOKEN_SEQUENCER', message: 'Please reopen the channel' },
    },
    { operation: 'append', probability: 0.02, seed: seed(), action: 'invalidate-channel' },
    // And some for certain, in each life of the service.
    { operation: 'append', count: 3, probability: 0.3, seed: seed(), action: 'invalidate-channel' },
    { operation: 'status', probability: 0.01, seed: seed(), action: 'invalidate-channel' },
    { operation: 'status', probability: 0.05, seed: seed(), action: 'lose-answer' },
    { operation: 'open', probability: 0.1, seed: seed(), action: 'lose-answer' },
    { operation: 'open', probability: 0.05, seed: seed(), action: 'lose-request' },
    { operation: 'open', probability: 0.1, seed: seed(), action: 'delay', ms: slow() },
    { operation: 'token', probability: 0.1, seed: seed(), action: 'answer', status: 503, body: '' },
  ]
}
