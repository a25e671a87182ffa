import { type Answer, codeOf } from './answer.ts'

/** What a person can do about a refusal that will not pass by itself. */
export function remedyFor(answer: Answer): string {
  if (answer.hint !== undefined) return answer.hint
  const code = codeOf(answer)
  if (answer.status === 407) return 'the proxy wants a user name and a password: SNOWHAT_SNOWFLAKE_PROXY_FILE'
  if (answer.status === 415) return 'set SNOWHAT_BATCH_COMPRESSION to gzip: the service does not take zstd'
  if (code === '391902') return 'a proxy on the way takes the header Accept away: let it pass'
  // 3901xx to 3903xx are the codes of sign-in [observed].
  if (answer.status === 401 || code === '3' || /^390[123]\d\d$/.test(code))
    return "compare the key's fingerprint with DESC USER, and account and user with the configuration"
  if (answer.status === 403)
    return 'the role lacks a privilege (sql/setup.sql), or a network policy refuses this address'
  if (code === 'ERR_CHANNEL_LIMIT_EXCEEDED_FOR_PIPE')
    return 'name one more pipe in snowflake.pipes for new devices, drop channels of devices that are gone (snowhat forget HOST --channel), or ask Snowflake for more than 2,000'
  if (code.includes('PIPE'))
    return 'run sql/setup.sql: the pipe must exist with DATA_SOURCE(TYPE => STREAMING) and be granted to the role'
  return 'run sql/setup.sql, or correct database, schema and pipe in the configuration'
}
