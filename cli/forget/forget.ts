import { parseBridgeInfo } from '../../src/bridge-info.ts'
import { SnowhatError } from '../../src/errors.ts'
import { isHostname, toHostname } from '../../src/hostname.ts'
import { parseLedger } from '../../src/ledger.ts'
import { withoutUserInfo } from '../../src/log.ts'
import type { IncomingMessage, MqttLink } from '../../src/mqtt-link.ts'
import { createTopics } from '../../src/topics.ts'
import type { Invocation } from '../command.ts'
import { pageUrl } from '../ledger/bridge-page.ts'
import { visitBroker } from '../visit-broker.ts'
import { bridgeOnPage, forgetAtBridge } from './bridge-side.ts'
import { DeviceTopics } from './device-topics.ts'
import { objectTo, type Situation } from './objections.ts'
import { type Outcome, outcomeJson, outcomeWords } from './words.ts'

/** `snowhat forget HOST` */
export async function runForget(invocation: Invocation): Promise<number> {
  const { clock, flags, print, settings } = invocation
  const hostname = hostnameOf(invocation.positionals)
  const topics = createTopics(settings.mqtt.base_topic, settings.mqtt.discovery_prefix)
  const device = new DeviceTopics(hostname, topics, clock)
  const bridge = { online: false, instance: undefined as string | undefined }
  const onMessage = (message: IncomingMessage) => {
    if (device.take(message)) return
    if (message.topic === topics.bridgeAvailability) bridge.online = message.payload.toString() === 'online'
    if (message.topic === topics.bridgeInfo) bridge.instance = parseBridgeInfo(message.payload)?.instance
  }
  const wish = { force: flags.force === true, channel: flags.channel === true }
  const url = pageUrl(settings.http, flags['bridge-url'])

  const work = async (link: MqttLink): Promise<Outcome> => {
    await link.subscribe([topics.bridgeAvailability, topics.bridgeInfo])
    const messages = await device.look(link)
    const says = device.payload(topics.availability(hostname))?.toString()
    if (says !== 'online' && !wish.force) await device.listen()
    const situation: Situation = {
      hostname,
      online: says === 'online' || device.isLive,
      ledger: parseLedger(device.payload(topics.ledger(hostname)) ?? Buffer.alloc(0)),
      outbox: outboxIn(device.payload(topics.info(hostname))),
      bridge: { ...bridge, url, page: bridge.online ? await bridgeOnPage(url) : undefined },
    }
    objectTo(situation, wish)
    const about = { hostname, messages, bridgeRuns: bridge.online }
    if (flags['dry-run'] === true) return { ...about, dryRun: true, forgot: undefined }
    const forgot = bridge.online ? await forgetAtBridge(url, settings.http.token, hostname, wish) : undefined
    await device.empty(link)
    return { ...about, dryRun: false, forgot }
  }
  const outcome = await visitBroker(settings.mqtt, { name: 'forget', onMessage }, invocation, work)
  if (outcome.messages.length === 0 && outcome.forgot === undefined)
    throw new SnowhatError('E_NOT_FORGOTTEN', `${withoutUserInfo(settings.mqtt.url)} holds nothing of ${hostname}`, {
      hint: 'snowhat ledger lists the devices the bridge knows; mqtt.base_topic and mqtt.discovery_prefix must be theirs',
    })
  print(flags.json === true ? outcomeJson(outcome) : outcomeWords(outcome))
  return 0
}

function hostnameOf([hostname, ...others]: readonly string[]): string {
  if (hostname === undefined || others.length > 0)
    throw new SnowhatError('E_USAGE', 'snowhat forget takes one host', { hint: 'see snowhat forget --help' })
  if (isHostname(hostname)) return hostname
  const meant = toHostname(hostname, null)
  throw new SnowhatError('E_USAGE', `${hostname} is no device's name: [a-z0-9][a-z0-9_-]{0,62}`, {
    hint: meant === undefined ? 'see snowhat forget --help' : `did you mean ${meant}?`,
  })
}

function outboxIn(info: Buffer | undefined): number | undefined {
  try {
    const { outbox } = JSON.parse(info?.toString('utf8') ?? '') as { outbox?: { readings?: unknown } }
    return typeof outbox?.readings === 'number' ? outbox.readings : undefined
  } catch {
    return undefined
  }
}
