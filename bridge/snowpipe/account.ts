/**
 * An account identifier as a host wants it and as a JWT wants it [documented]. They differ: hosts take no
 * underscores and keep the region, the JWT keeps underscores and drops the region.
 */
export function accountHost(account: string): string {
  return `${account.toLowerCase().replaceAll('_', '-')}.snowflakecomputing.com`
}

export function accountInJwt(account: string): string {
  const upper = account.toUpperCase()
  // `.global` accounts: the rule of the official drivers [observed].
  if (upper.includes('.GLOBAL')) return upper.split('-')[0] ?? upper
  return upper.split('.')[0] ?? upper
}
