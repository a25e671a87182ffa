export interface BackoffPolicy {
  /** Upper bound of the first wait. */
  readonly firstMs: number
  /** No wait is longer. */
  readonly maxMs: number
}

/**
 * How long to wait before attempt `attempt` (0 = the first retry): "full jitter", a uniform draw below a
 * bound that doubles, so that a fleet that lost its broker at one moment does not come back at one moment.
 * Never less than a tenth of the bound, so that a wait is a wait.
 */
export function backoffMs(attempt: number, policy: BackoffPolicy, random: () => number): number {
  const bound = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(attempt, 30))
  return bound * (0.1 + 0.9 * random())
}
