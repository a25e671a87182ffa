import { createRequire } from 'node:module'
import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino'
import type { PinoPretty } from 'pino-pretty'

/**
 * Structured logs. The message is a constant sentence; everything variable is a field.
 * Field names, the same in logs, metrics and events: `component`, `device`, `stream`, `seq`, `rows`,
 * `bytes`, `ms`, `offsetToken`, `attempt`, `code`, `hint`.
 *
 * Levels: `fatal` the process ends; `error` data is at risk or a person must act; `warn` degraded but
 * healing; `info` life events; `debug` per batch; `trace` per reading.
 */
export type Log = Logger

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

export interface LogSettings {
  readonly level: LogLevel
  /** `auto` writes for people on a terminal and JSON lines everywhere else. */
  readonly format: 'auto' | 'json' | 'pretty'
}

/** Field names whose values must never reach a log, up to two levels down: all settings as one field. */
const SECRETS = [
  'password',
  'private_key',
  'private_key_passphrase',
  'passphrase',
  'pat',
  'oauth_token',
  'token',
  'proxy',
  'authorization',
]

/** Fields that hold addresses. Some people write user and password into the broker's. */
const ADDRESSES = ['url', 'mqtt', 'target']

/** An address without the user and the password in it. */
export function withoutUserInfo(address: string): string {
  return address.replace(/^(\w+:\/\/)[^/]*@/, '$1[secret]@')
}

/** Logs go to stderr: stdout belongs to what a command was asked to print. */
export function createLog(app: string, settings: LogSettings, stream?: DestinationStream): Log {
  const forPeople = settings.format === 'pretty' || (settings.format === 'auto' && process.stderr.isTTY)
  const destination =
    stream ??
    (forPeople
      ? forTerminals()({
          destination: 2,
          ignore: 'app',
          translateTime: 'SYS:HH:MM:ss',
          // A journal gives each line a head of its own.
          singleLine: !process.stderr.isTTY,
          sync: true,
        })
      : pino.destination({ fd: 2, sync: true }))
  return pino(
    {
      level: settings.level,
      base: { app },
      redact: { paths: SECRETS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[secret]' },
      serializers: {
        err: stdSerializers.err,
        ...Object.fromEntries(
          ADDRESSES.map((name) => [
            name,
            // Settings as a whole bear the same names.
            (value: unknown) => (typeof value === 'string' ? withoutUserInfo(value) : value),
          ]),
        ),
      },
    },
    destination,
  )
}

/** Loaded when somebody looks: a service pays neither the time nor the memory. */
function forTerminals(): typeof PinoPretty {
  return createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty
}

/** A log that says nothing, for tests and for parts of the demo that report in another way. */
export function silentLog(): Log {
  return pino({ level: 'silent' })
}
