import { createHash } from 'node:crypto'
import type { Clock } from '../src/clock.ts'
import type { Answer, Call } from './answer.ts'
import type { Pipe } from './catalog.ts'
import type { Channels } from './channels.ts'
import { qualified } from './names.ts'
import type { Target } from './streaming-api.ts'

/** How long the answer is good; the official SDK asks again before [observed]. */
const GOOD_FOR_MS = 3_600_000

/**
 * What the service has its clients do: all ten are wanted [observed]; their numbers here are [assumed], but for the one that
 * keeps clients from staging batches as files, which nothing here could read.
 */
const CLIENT_PARAMETERS = {
  max_client_lag_seconds: 1,
  rowset_flush_threshold_kb: 1024,
  max_buffered_kb_for_rowset_mode: 65_535,
  rowset_threshold_lookback_seconds: 60,
  rowset_threshold_ewma_weight: 10,
  target_file_size_compressed_mb: 16,
  cpu_throttle_high_watermark_percent: 95,
  cpu_throttle_low_watermark_percent: 90,
  mem_throttle_high_watermark_percent: 95,
  mem_throttle_low_watermark_percent: 90,
}

/**
 * `POST …/pipes/{pipe}:pipe-info`, which the official SDK sends when a client is made, and which is not documented. It says where
 * large batches may be staged, and with which keys. Clients of different age read different names [observed], so this is the union of
 * them.
 *
 * No batch is ever staged here: the location has the form of one and leads nowhere (`.invalid`, RFC 2606).
 */
export async function pipeInfo(
  _call: Call,
  target: Target,
  { channels, clock }: { readonly channels: Channels; readonly clock: Clock },
): Promise<Answer> {
  const pipe = channels.streamingPipe(target.pipe)
  const location = stageLocation(clock.now() + GOOD_FOR_MS)
  const encryption = encryptionInfo(pipe)
  return {
    status: 200,
    body: {
      status_code: 0,
      message: 'Success',
      database: pipe.name.database,
      schema: pipe.name.schema,
      pipe: pipe.name.name,
      owner: '',
      valid: true,
      rowset_stage_location: location,
      durable_stage_location: location,
      pipe_encryption_info: encryption,
      parameter_overrides: CLIENT_PARAMETERS,
    },
  }
}

function stageLocation(expiryMs: number): Readonly<Record<string, unknown>> {
  const path = 'rowsets/'
  return {
    location_type: 'S3',
    location: `snowhat-emulator.invalid/${path}`,
    bucket_name: 'snowhat-emulator.invalid',
    path_prefix: path,
    region: 'emulator',
    use_s3_regional_url: false,
    storage_account: '',
    storage_endpoint: 'snowhat-emulator.invalid',
    url_override: 'http://snowhat-emulator.invalid',
    expiry_time: Math.floor(expiryMs / 1000),
    expiry_time_ms: Math.floor(expiryMs),
    creds: { AWS_KEY_ID: 'none', AWS_SECRET_KEY: 'none', AWS_TOKEN: 'none' },
    parameters: CLIENT_PARAMETERS,
  }
}

/** Of the form of a key, the same one for a pipe each time. */
function encryptionInfo(pipe: Pipe): Readonly<Record<string, string>> {
  const key = createHash('sha256').update(qualified(pipe.name)).digest('base64')
  return { pipe_key: key, pipe_key_id: '1', diversifier: '1' }
}
