import { type Section, secret, type ValuesOf } from '../src/setting.ts'

/** The settings of `snowhat emulator`. */
export const emulatorSection = {
  port: {
    kind: 'port',
    default: 8085,
    doc: 'port of the account host and ingest host in one; 0 takes any free one',
    flags: ['port'],
  },
  host: { kind: 'string', default: '127.0.0.1', doc: 'address to listen on; 0.0.0.0 for all', flags: ['host'] },
  data: { kind: 'string', default: './data/emulator', doc: 'directory of `warehouse.duckdb`', flags: ['data'] },
  commit_delay: {
    kind: 'duration',
    default: 1000,
    doc: 'time between an append and its commit (the real service takes about 1 to 10 s)',
    flags: ['commit-delay'],
  },
  tls_cert: { kind: 'string', default: '', doc: 'PEM file of the certificate; serves HTTPS', flags: ['tls-cert'] },
  tls_key: { kind: 'string', default: '', doc: 'PEM file of the private key of the certificate', flags: ['tls-key'] },
  faults: { kind: 'string', default: '', doc: 'JSON file of faults to inject from the start', flags: ['faults'] },
  user_key: {
    kind: 'list',
    default: [],
    doc: 'registered public keys as USER=FILE; a user without one may sign with any key',
    flags: ['user-key'],
  },
  ...secret('pat', 'a programmatic access token to accept besides key pairs'),
  account: {
    kind: 'string',
    default: '',
    doc: 'name of the account as a key-pair JWT must bear it (ORG-ACCOUNT, or the locator alone); empty takes any',
    flags: ['account'],
  },
  sql_dir: {
    kind: 'string',
    default: '',
    doc: "directory of the set-up SQL; empty for the package's own",
    flags: ['sql-dir'],
  },
  answers: {
    kind: 'string',
    default: 'text',
    choices: ['text', 'json'],
    doc: 'form of the hostname and token answers: `text` as the real service, `json` as its documentation',
  },
  token_lifetime: { kind: 'duration', default: 3_600_000, doc: 'life of a scoped token' },
  requests_per_second: { kind: 'count', default: 0, doc: 'appends per second and channel before 429; 0 for no limit' },
  channel_limit: { kind: 'count', default: 2000, doc: 'channels per pipe' },
} as const satisfies Section

export type EmulatorSettings = ValuesOf<typeof emulatorSection>
