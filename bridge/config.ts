import type { HomeAssistantSettings } from '../src/home-assistant/section.ts'
import { type PhonesSettings, phonesSection } from '../src/phones-section.ts'
import { type Section, secret, type ValuesOf } from '../src/setting.ts'

export const snowflakeSection = {
  account: {
    kind: 'string',
    default: '',
    doc: 'account identifier: ORG-ACCOUNT, or locator with region; the address of the account will do as well',
  },
  account_dot: {
    kind: 'string',
    default: 'region',
    choices: ['region', 'account'],
    doc: 'what follows the first dot in `account`: a region (`xy12345.eu-west-1`), or the account (`org.account`)',
  },
  url: {
    kind: 'string',
    default: '',
    doc: 'base address when it is not https://<account>.snowflakecomputing.com, such as an emulator',
  },
  user: { kind: 'string', default: 'SENSEHAT_STREAMING_USER', doc: 'login name of the service user' },
  role: { kind: 'string', default: '', doc: "role to ask for; empty for the user's default role" },
  database: { kind: 'string', default: 'DEMO', doc: 'database of the pipe' },
  schema: { kind: 'string', default: 'DEMO', doc: 'schema of the pipe' },
  pipes: {
    kind: 'list',
    default: ['SENSEHAT_STREAMING_PIPE'],
    doc: 'streaming pipes; a device is given one by hash and keeps it',
  },
  ...secret('private_key', 'private key of the service user, PEM'),
  ...secret('private_key_passphrase', 'passphrase of an encrypted private key'),
  ...secret('pat', 'programmatic access token, used instead of the key'),
  ...secret('oauth_token', 'OAuth access token that somebody else renews, used instead of the key'),
  ...secret(
    'proxy',
    'proxy to reach Snowflake through, such as http://user:password@proxy:3128; empty for HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment, `none` to go without',
  ),
  ca_file: {
    kind: 'string',
    default: '',
    doc: "CA certificate (PEM) that is trusted beside the system's: of a proxy that looks into TLS, or of an emulator",
  },
} as const satisfies Section

export const routesSection = {
  files: { kind: 'list', default: [], doc: 'files of routes of your own: any MQTT topic to any table' },
} as const satisfies Section

export const batchSection = {
  max_rows: { kind: 'count', default: 100, doc: 'send a batch at this many rows …' },
  max_bytes: {
    kind: 'count',
    default: 1_000_000,
    doc: '… or this many bytes before compression (3,800,000 at most) …',
  },
  max_age_ms: { kind: 'count', default: 5_000, doc: '… or when its oldest row has waited this many milliseconds' },
  compression: {
    kind: 'string',
    default: 'auto',
    choices: ['auto', 'gzip', 'zstd'],
    doc: 'how rows are compressed for Snowflake; `auto` is zstd where Node has it (22.15 and later), else gzip',
  },
} as const satisfies Section

export const spoolSection = {
  dir: {
    kind: 'string',
    default: '',
    flags: ['spool-dir'],
    doc: 'directory of the spool; empty keeps it in memory, and publishers send again what a restart loses',
  },
  max_bytes: {
    kind: 'count',
    default: 268_435_456,
    doc: 'bytes of rows the spool takes; when it is full nothing more is acknowledged, and the broker keeps it',
  },
  memory_bytes: {
    kind: 'count',
    default: 25_165_824,
    doc: 'bytes that rows of a spool on disk take in memory; the others are read back when their turn comes',
  },
  dead_letters_max_bytes: {
    kind: 'count',
    default: 67_108_864,
    doc: 'bytes of dead letters kept in the directory of the spool; at the limit the oldest give way (in memory: 8 MiB at most)',
  },
} as const satisfies Section

export const httpSection = {
  host: { kind: 'string', default: '127.0.0.1', doc: 'address the page and the health checks listen on' },
  port: { kind: 'port', default: 8080, doc: 'port of the page and the health checks' },
  url: {
    kind: 'string',
    default: '',
    doc: 'address of the page as people reach it, such as http://nas:8080; Home Assistant links to it',
  },
  metrics_devices: {
    kind: 'count',
    default: 5_000,
    doc: 'devices up to which /metrics has series of each; of a larger fleet only those of the bridge, because each device is 14 of them',
  },
  ...secret('token', 'what a request must bear that changes something: decisions about held devices'),
} as const satisfies Section

export const bridgeSection = {
  client_id: { kind: 'string', default: 'snowhat-bridge', doc: "MQTT client id; the broker's session hangs on it" },
  parallel_appends: { kind: 'count', default: 32, doc: 'appends under way at once, over all channels' },
  opens_per_second: {
    kind: 'number',
    default: 10,
    doc: 'channels opened per second on each pipe, at most; fewer while Snowflake throttles them',
  },
  expired_channels: {
    kind: 'string',
    default: 'proved',
    choices: ['proved', 'keep', 'ask'],
    doc: 'a channel that Snowflake has deleted after 30 days without rows is replaced without asking when another channel of its pipe proves that no table was replaced (proved), by our own record of 30 days alone (keep), or never (ask)',
  },
  status_interval_ms: { kind: 'count', default: 1_000, doc: 'how often a pipe is asked what it has committed' },
  refused_retry: {
    kind: 'duration',
    default: 60_000,
    doc: 'how often it is looked whether a refusal is over that a person must mend (key, grant, name): one device asks, the others wait for it',
  },
  guard: {
    kind: 'boolean',
    default: true,
    doc: 'before starting, look whether another bridge lives at this broker, and stop when one announces itself later; off is for tests with two bridges at once',
  },
  stalled_after: {
    kind: 'duration',
    default: 300_000,
    doc: '/healthz turns red when rows wait, or the broker is away, for this long without progress',
  },
  drain: { kind: 'duration', default: 8_000, doc: 'how long a shutdown waits for rows under way to be committed' },
} as const satisfies Section

export const costSection = {
  credits_per_gb: {
    kind: 'number',
    default: 0.0037,
    doc: "credits for a gigabyte, uncompressed, as Snowflake counts it; see Snowflake's Service Consumption Table, 0 computes no cost",
  },
  price_per_credit: { kind: 'number', default: 3, doc: 'what you pay for a credit; 0 computes no cost' },
  budget_per_month: {
    kind: 'number',
    default: 0,
    doc: 'what a month may cost; a warning comes when it will cost more at this rate, and when it has; 0 is no budget',
  },
  currency: { kind: 'string', default: 'USD', doc: 'its currency, as a code of three letters' },
} as const satisfies Section

export const bridgeSections = {
  bridge: bridgeSection,
  snowflake: snowflakeSection,
  phones: phonesSection,
  routes: routesSection,
  batch: batchSection,
  spool: spoolSection,
  http: httpSection,
  cost: costSection,
} as const

export type SnowflakeSettings = ValuesOf<typeof snowflakeSection>
export type RoutesSettings = ValuesOf<typeof routesSection>
export type BatchSettings = ValuesOf<typeof batchSection>
export type SpoolSettings = ValuesOf<typeof spoolSection>
export type HttpSettings = ValuesOf<typeof httpSection>
export type CostSettings = ValuesOf<typeof costSection>
export type BridgeOwnSettings = ValuesOf<typeof bridgeSection>

export interface BridgeSettings {
  readonly bridge: BridgeOwnSettings
  readonly snowflake: SnowflakeSettings
  readonly phones: PhonesSettings
  readonly routes: RoutesSettings
  readonly batch: BatchSettings
  readonly spool: SpoolSettings
  readonly http: HttpSettings
  readonly cost: CostSettings
  readonly home_assistant: HomeAssistantSettings
}
