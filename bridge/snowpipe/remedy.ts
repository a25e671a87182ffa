/** What a person can do about a refusal that will not pass by itself. */
export function remedyFor(code: string): string {
  // 3901xx to 3903xx are the codes of sign-in [observed].
  if (code === '401' || /^390[123]\d\d$|JWT|AUTH|TOKEN/i.test(code))
    return "compare the key's fingerprint with DESC USER, and account and user with the configuration"
  if (code === '403') return 'the role lacks a privilege, or a network policy refuses this address'
  if (code.includes('PIPE'))
    return 'run sql/setup.sql: the pipe must exist with DATA_SOURCE(TYPE => STREAMING) and be granted to the role'
  return 'run sql/setup.sql, or correct database, schema and pipe in the configuration'
}
