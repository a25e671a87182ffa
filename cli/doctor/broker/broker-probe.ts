import type { Clock } from '../../../src/clock.ts'
import { messageOf, SnowhatError, systemCode } from '../../../src/errors.ts'
import { silentLog } from '../../../src/log.ts'
import { type IncomingMessage, type MqttLink, openMqttLink } from '../../../src/mqtt-link.ts'
import type { MqttSettings } from '../../../src/mqtt-section.ts'
import { randomId } from '../../../src/random-id.ts'

export type Protocol = '5' | '3.1.1'

export interface ProbeDeps {
  readonly clock: Clock
  readonly random: () => number
}

export interface ProbeOptions {
  readonly clientId?: string
  readonly persistentSession?: boolean
}

/** A connection of the doctor's own, as the user of the settings. */
export interface BrokerProbe {
  readonly protocol: Protocol
  readonly clientId: string
  /** The broker had kept a session for this client. */
  readonly resumed: boolean
  readonly link: MqttLink
  /** Calls for every message from now on, and first for those that came before anybody listened; until what it gives is called. */
  listen(take: (message: IncomingMessage) => void): () => void
  close(): Promise<void>
}

/** Throws what ended the first attempt with the last protocol that comes into question. */
export async function openProbe(
  settings: MqttSettings,
  deps: ProbeDeps,
  signal: AbortSignal,
  options: ProbeOptions = {},
): Promise<BrokerProbe> {
  if (settings.protocol !== 'auto') return attempt(settings, settings.protocol, deps, signal, options)
  try {
    return await attempt(settings, '5', deps, signal, options)
  } catch (error) {
    // Who is not let in is not let in either way; brokers without MQTT 5 end the connection or name the version.
    if (signal.aborted || isSignInRefused(error) || (error instanceof SnowhatError && error.code === 'E_MQTT_TLS'))
      throw error
    return attempt(settings, '3.1.1', deps, signal, options)
  }
}

/** Reason codes of MQTT 5 and return codes of 3.1.1: bad user name or password, not authorized, banned [documented]. */
export function isSignInRefused(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : Number.NaN
  return (
    [4, 5, 0x86, 0x87, 0x8a, 0x8c].includes(code) || /not authorized|bad user ?name|credentials/i.test(messageOf(error))
  )
}

/** The broker said so to a publish: MQTT 5 alone can [documented]. */
export function isPublishRefused(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 0x87
}

function attempt(
  settings: MqttSettings,
  protocol: Protocol,
  deps: ProbeDeps,
  signal: AbortSignal,
  { clientId = `snowhat-doctor-${randomId(8)}`, persistentSession = false }: ProbeOptions,
): Promise<BrokerProbe> {
  return new Promise((resolve, reject) => {
    const listeners = new Set<(message: IncomingMessage) => void>()
    let early: IncomingMessage[] | undefined = []
    const onMessage = (message: IncomingMessage) => {
      early?.push(message)
      for (const take of listeners) take(message)
    }
    let settled = false
    const opening = openMqttLink(
      { ...settings, protocol },
      {
        clientId,
        persistentSession,
        onMessage,
        onConnect: ({ resumed }) => {
          settled = true
          void opening.then((link) =>
            resolve({
              protocol,
              clientId,
              resumed,
              link,
              listen: (take) => {
                listeners.add(take)
                for (const message of early ?? []) take(message)
                early = undefined
                return () => listeners.delete(take)
              },
              close: () => link.close(),
            }),
          )
        },
        onDisconnect: (error) => {
          if (!settled)
            fail(error ?? new SnowhatError('E_MQTT_DISCONNECTED', 'the broker ends the connection without a word'))
        },
      },
      { ...deps, log: silentLog() },
    )
    const fail = (error: unknown) => {
      if (settled) return
      settled = true
      reject(error)
      void opening.then((link) => link.close())
    }
    opening.catch(reject)
    signal.addEventListener('abort', () => fail(new Error('stopped')), { once: true })
  })
}

/** What a person is told of an attempt that failed. */
export function wordsOf(error: unknown): string {
  return messageOf(error) || (systemCode(error) ?? 'it does not answer')
}
