import type { Clock } from '../src/clock.ts'
import { messageOf, SnowhatError } from '../src/errors.ts'
import { silentLog, withoutUserInfo } from '../src/log.ts'
import { type IncomingMessage, type MqttLink, openMqttLink } from '../src/mqtt-link.ts'
import type { MqttSettings } from '../src/mqtt-section.ts'
import { randomId } from '../src/random-id.ts'
import { within } from '../src/within.ts'

export interface Visit {
  /** The command: it stands in the client id. */
  readonly name: string
  readonly onMessage: (message: IncomingMessage) => void
}

const DEADLINE_MS = 12_000
/** The first may be a broker that does not speak MQTT 5. */
const ATTEMPTS = 2

/** One connection for one piece of work. Throws `E_MQTT_DISCONNECTED` or `E_MQTT_TLS` when there is none, and what `work` throws. */
export async function visitBroker<T>(
  settings: MqttSettings,
  { name, onMessage }: Visit,
  deps: { readonly clock: Clock; readonly random: () => number },
  work: (link: MqttLink) => Promise<T>,
): Promise<T> {
  let failed: unknown
  let attempts = 0
  let isConnected = false
  let settle: () => void = () => undefined
  const settled = new Promise<void>((resolve) => {
    settle = resolve
  })
  const link = await openMqttLink(
    settings,
    {
      clientId: `snowhat-${name}-${randomId(8)}`,
      onMessage,
      onConnect: () => {
        isConnected = true
        settle()
      },
      onDisconnect: (error) => {
        failed = error
        if (++attempts >= ATTEMPTS) settle()
      },
    },
    { ...deps, log: silentLog() },
  )
  try {
    await within(DEADLINE_MS, deps.clock, () => settled)
    if (!isConnected) throw unreachable(settings.url, failed)
    return await work(link)
  } finally {
    await link.close()
  }
}

function unreachable(url: string, cause: unknown): SnowhatError {
  if (cause instanceof SnowhatError && cause.code === 'E_MQTT_TLS') return cause
  const reason = cause === undefined ? 'it does not answer' : messageOf(cause) || 'it cannot be connected to'
  return new SnowhatError('E_MQTT_DISCONNECTED', `cannot reach the MQTT broker ${withoutUserInfo(url)}: ${reason}`, {
    cause,
    hint: 'is it running, and are SNOWHAT_MQTT_URL and the password right?',
  })
}
