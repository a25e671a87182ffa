import { describe, expect, it } from 'vitest'
import { channelAddress, identifier } from '../../../bridge/snowpipe/address.ts'

describe('a name in a path', () => {
  it.each([
    ['SENSEHAT_STREAMING_PIPE', 'SENSEHAT_STREAMING_PIPE'],
    ['demo', 'DEMO'],
    ['Pipe_2$', 'PIPE_2$'],
    ['SENSOR_DATA-STREAMING', '"SENSOR_DATA-STREAMING"'],
    ['2nd', '"2nd"'],
    ['my pipe', '"my pipe"'],
    ['say "x"', '"say ""x"""'],
    ['"MixedCase"', '"MixedCase"'],
  ])('%s is %s: in stored case, in quotes when it needs them', (written, sent) => {
    expect(identifier(written)).toBe(sent)
  })

  it('is percent-encoded, the quotes of a default pipe included', () => {
    const pipe = { database: 'DEMO', schema: 'RAW/1', pipe: 'SENSOR_DATA-STREAMING' }
    expect(channelAddress('/data', { pipe, channel: 'pi kitchen' })).toBe(
      '/v2/streaming/data/databases/DEMO/schemas/%22RAW%2F1%22/pipes/%22SENSOR_DATA-STREAMING%22/channels/pi%20kitchen',
    )
  })
})
