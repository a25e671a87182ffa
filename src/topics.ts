import { isDeviceKey } from './device-key.ts'
import { isHostname } from './hostname.ts'

/** Every topic this project uses, from the two names that are settings. */
export interface Topics {
  readonly base: string
  readonly discoveryPrefix: string
  readings(hostname: string): string
  state(hostname: string): string
  availability(hostname: string): string
  info(hostname: string): string
  settings(hostname: string): string
  /** State of the light that is the LED matrix. */
  led(hostname: string): string
  /** What a part of the board tells, such as a direction of the joystick. */
  event(hostname: string, part: string): string
  /** Where a device is told something; `+` for all things. */
  command(hostname: string, thing: string): string
  /** What a command is about; `undefined` when the topic is none of this device. */
  thingOfCommand(hostname: string, topic: string): string | undefined
  /** Filter for the readings of all devices. */
  readonly allReadings: string
  readonly bridgeAvailability: string
  readonly bridgeInfo: string
  /** How the bridge is, for Home Assistant and for whoever else listens. */
  readonly bridgeHealth: string
  /** The device's ledger: what the bridge has spooled and Snowflake has committed. */
  ledger(key: string): string
  readonly allLedgers: string
  /** Where the bridge is asked for something: `health`, `ledger`, `flush`. */
  request(verb: string): string
  /** The verb of a request; `undefined` when the topic is none. */
  verbOfRequest(topic: string): string | undefined
  /** Where a request is answered; also where the bridge sends itself a marker to know it has read everything. */
  response(verb: string): string
  /** A Pi's own device document. */
  deviceDiscovery(hostname: string): string
  readonly allDeviceDiscovery: string
  /** What the bridge adds to a Pi's device. */
  pipelineDiscovery(hostname: string): string
  readonly allPipelineDiscovery: string
  readonly bridgeDiscovery: string
  readonly homeAssistantStatus: string
  /** Whether a topic is one of `allReadings`. */
  isReadings(topic: string): boolean
  /** The hostname of a message on `readings`; `undefined` when the topic is not one, or the name is not allowed. */
  hostnameOfReadings(topic: string): string | undefined
  /** The device key of a ledger. */
  keyOfLedger(topic: string): string | undefined
  /** The hostname of a Pi's own device document. */
  hostnameOfDeviceDiscovery(topic: string): string | undefined
  /** The hostname of what the bridge adds to a Pi's device. */
  hostnameOfPipelineDiscovery(topic: string): string | undefined
}

/** The ends of discovery topics; before them comes the hostname. */
const DEVICE = '/sensehat/config'
const PIPELINE = '/sensehat_pipeline/config'

export function createTopics(base: string, discoveryPrefix: string): Topics {
  const ledgers = `${base}/bridge/devices`
  const documents = `${discoveryPrefix}/device/`
  const between = (topic: string, before: string, after: string): string | undefined => {
    if (!topic.startsWith(before) || !topic.endsWith(after)) return undefined
    const hostname = topic.slice(before.length, topic.length - after.length)
    return isHostname(hostname) ? hostname : undefined
  }
  return {
    base,
    discoveryPrefix,
    readings: (hostname) => `${base}/${hostname}/readings`,
    state: (hostname) => `${base}/${hostname}/state`,
    availability: (hostname) => `${base}/${hostname}/availability`,
    info: (hostname) => `${base}/${hostname}/info`,
    settings: (hostname) => `${base}/${hostname}/settings`,
    led: (hostname) => `${base}/${hostname}/led`,
    event: (hostname, part) => `${base}/${hostname}/event/${part}`,
    command: (hostname, thing) => `${base}/${hostname}/set/${thing}`,
    thingOfCommand: (hostname, topic) => {
      const before = `${base}/${hostname}/set/`
      return topic.startsWith(before) ? topic.slice(before.length) : undefined
    },
    allReadings: `${base}/+/readings`,
    bridgeAvailability: `${base}/bridge/availability`,
    bridgeInfo: `${base}/bridge/info`,
    bridgeHealth: `${base}/bridge/health`,
    ledger: (key) => `${ledgers}/${key}`,
    allLedgers: `${ledgers}/+`,
    request: (verb) => `${base}/bridge/request/${verb}`,
    verbOfRequest: (topic) => {
      const before = `${base}/bridge/request/`
      return topic.startsWith(before) ? topic.slice(before.length) : undefined
    },
    response: (verb) => `${base}/bridge/response/${verb}`,
    deviceDiscovery: (hostname) => documents + hostname + DEVICE,
    allDeviceDiscovery: `${documents}+${DEVICE}`,
    pipelineDiscovery: (hostname) => documents + hostname + PIPELINE,
    allPipelineDiscovery: `${documents}+${PIPELINE}`,
    bridgeDiscovery: `${documents}sensehat_bridge/config`,
    homeAssistantStatus: `${discoveryPrefix}/status`,
    isReadings: (topic) =>
      topic.startsWith(`${base}/`) &&
      topic.endsWith('/readings') &&
      !topic.slice(base.length + 1, -'/readings'.length).includes('/'),
    hostnameOfReadings: (topic) => between(topic, `${base}/`, '/readings'),
    keyOfLedger: (topic) => {
      const key = topic.startsWith(`${ledgers}/`) ? topic.slice(ledgers.length + 1) : ''
      return isDeviceKey(key) ? key : undefined
    },
    hostnameOfDeviceDiscovery: (topic) => between(topic, documents, DEVICE),
    hostnameOfPipelineDiscovery: (topic) => between(topic, documents, PIPELINE),
  }
}
