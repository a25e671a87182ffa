import { hintOf, messageOf, SnowhatError } from '../src/errors.ts'
import type { MqttSettings } from '../src/mqtt-section.ts'
import type { Notify } from '../src/notify.ts'
import { aborted } from '../src/signals.ts'
import { type BridgeDeps, type StartOptions, startBridge } from './bridge.ts'
import type { BridgeSettings } from './config.ts'

/** Runs until `stop`; rejects when it must not go on. */
export async function runBridge(
  settings: BridgeSettings & { readonly mqtt: MqttSettings },
  deps: BridgeDeps & {
    readonly stop: AbortSignal
    /** Who started it and wants to know how it is. */
    readonly notify?: Notify
  },
  options: StartOptions = {},
): Promise<void> {
  const { log, notify, stop } = deps
  const bridge = await startBridge(settings, settings.mqtt, deps, options)
  log.info(
    {
      instance: bridge.instance,
      mqtt: settings.mqtt.url,
      target: bridge.target,
      spool: settings.spool.dir || 'in memory',
      page: `http://${settings.http.host}:${bridge.httpPort}/`,
    },
    'the bridge is running',
  )
  notify?.ready(() => bridge.wellbeing())
  bridge.events.on('channel:opened', (device) => log.info({ device }, 'a channel is open'))
  bridge.events.on('reading:refused', (device, code, reason) =>
    log.warn({ device, code, reason }, 'kept a payload as a dead letter'),
  )
  try {
    await Promise.race([aborted(stop), bridge.ended])
  } catch (error) {
    // Whoever started the command is told as well; a log that is kept must say by itself why it ends here.
    const code = error instanceof SnowhatError ? error.code : undefined
    log.fatal({ code, reason: messageOf(error), hint: hintOf(error) }, 'the bridge must not go on, and stops')
    throw error
  } finally {
    notify?.stopping()
    log.info('stopping: committing what is under way')
    await bridge.close()
    log.info(bridge.totals(), 'the bridge has stopped')
  }
}
