/** Where a finding belongs, in the order of the report. */
export const GROUPS = ['configuration', 'machine', 'broker', 'bridge', 'pi', 'snowflake'] as const
export type Group = (typeof GROUPS)[number]

/** Every kind of finding and what it is about. docs/doctor.md has the same list with the remedies; a test holds it to this one. */
export const FINDINGS = {
  'configuration.settings': 'settings: unknown, of the wrong kind, or not to be read',
  'configuration.secrets': 'files with secrets that others may read',
  'configuration.routes': "the files of routes of one's own",
  'machine.versions': 'Node and Snowhat',
  'machine.clock': 'whether a time service keeps the clock',
  'machine.directory': 'the directory of spool or outbox: there, and writable',
  'machine.disk-kind': 'what that directory lies on',
  'machine.disk-sync': 'how long that disk takes to make something durable',
  'machine.disk-space': 'room on that disk',
  'broker.address': 'name and port of the broker',
  'broker.tls': "the broker's certificate",
  'broker.sign-in': 'user, password and MQTT version',
  'broker.session': 'whether the broker keeps messages for a client that is away',
  'broker.retained': 'whether the broker keeps retained messages',
  'broker.persistence': 'whether the broker survives its own restart',
  'broker.queue': 'how much the broker keeps for a bridge that is away',
  'broker.access-missing': 'topics this user must use and may not',
  'broker.access-excess': 'topics this user may use and should not',
  'broker.readings': 'whether readings arrive',
  'bridge.alive': 'whether a bridge runs at this broker',
  'bridge.health': 'what the bridge says of itself',
  'bridge.version': 'whether the bridge is of this version',
  'bridge.spool': 'what waits in the spool',
  'pi.hostname': 'the name of this Pi, and its user at the broker',
  'pi.bus': 'the I2C bus, and the right to use it',
  'pi.sensors': 'the chips of the Sense HAT',
  'pi.outbox': 'what waits in the outbox',
  'snowflake.key': 'form, strength and fingerprint of the private key, or the access token',
  'snowflake.account': 'the account identifier, and what is made of it',
  'snowflake.reach': 'whether the account can be reached',
  'snowflake.clock': "this machine's clock against Snowflake's",
  'snowflake.sign-in': 'host for rows, and the token for it',
  'snowflake.user': 'the key slots of the user, and the role it streams as',
  'snowflake.pipe': 'whether each pipe can be streamed into',
  'snowflake.pipe-replaced': 'whether the channels are those the bridge knows',
  'snowflake.grants': 'what the role may do',
  'snowflake.columns': 'the columns of the table against a reading',
  'snowflake.default': 'a default that stands still in a streaming pipe',
  'snowflake.error-table': 'whether rows that cannot be stored are kept',
  'snowflake.row-errors': 'rows that could not be stored',
  'snowflake.views': 'the views that prove that nothing is missing and nothing twice',
  'snowflake.gaps': 'what those views say',
  'snowflake.routes': "pipes, tables and columns of phones and of routes of one's own",
  'snowflake.canary': 'a row out and back',
  'snowflake.extra': 'keys in readings that have no column',
} as const satisfies Readonly<Record<`${Group}.${string}`, string>>

export type FindingId = keyof typeof FINDINGS

export function groupOf(id: FindingId): Group {
  return id.split('.')[0] as Group
}

/** ok · warn: works, but will not for ever or not as it should · broken: does not work · skipped: could not or need not be looked at */
export type Status = 'ok' | 'warn' | 'broken' | 'skipped'

export interface Finding {
  readonly id: FindingId
  readonly status: Status
  /** What is so, in one sentence. */
  readonly what: string
  /** How that is known, or what follows from it. */
  readonly why?: string
  /** What a person can do. */
  readonly fix?: string
  /** Statements that do it, to be run as they stand by a role that may. */
  readonly sql?: string
}

/** What a finding says beside its one sentence. */
export type Remedy = Pick<Finding, 'why' | 'fix' | 'sql'>

export const ok = (id: FindingId, what: string, more: Remedy = {}): Finding => ({ id, status: 'ok', what, ...more })
export const warn = (id: FindingId, what: string, more: Remedy): Finding => ({ id, status: 'warn', what, ...more })
export const broken = (id: FindingId, what: string, more: Remedy): Finding => ({ id, status: 'broken', what, ...more })
export const skipped = (id: FindingId, why: string): Finding => ({ id, status: 'skipped', what: FINDINGS[id], why })
