import { deviceKey } from '../src/device-key.ts'
import { SnowhatError } from '../src/errors.ts'
import type { SenderTopics } from '../src/outbox/sender.ts'
import { PHONE_ROUTES } from '../src/phone-records.ts'
import type { Topics } from '../src/topics.ts'

/** The two kinds of rows; each is a route of the bridge. */
export type RowKind = keyof typeof PHONE_ROUTES
export const ROW_KINDS: readonly RowKind[] = ['records', 'activity']

/** Every topic of the receiver, from the names that are settings. */
export interface PhoneTopics {
  rows(kind: RowKind, device: string): string
  /** Latest values of a phone, for Home Assistant; not retained. */
  state(device: string): string
  /** Whether the receiver is there: `online` or `offline`, retained. */
  readonly availability: string
  /** Key of the ledger of a phone's rows of that kind. */
  key(kind: RowKind, device: string): string
  /** Where a sender of rows of that kind sends and hears. */
  ofSender(kind: RowKind, device: string): SenderTopics
  /** A phone's device document. */
  discovery(device: string): string
  readonly allDiscovery: string
  readonly homeAssistantStatus: string
}

export function createPhoneTopics(base: string, topics: Topics): PhoneTopics {
  const rows = (kind: RowKind, device: string) => `${base}/${device}/${PHONE_ROUTES[kind].level}`
  const discovery = (device: string) => `${topics.discoveryPrefix}/device/${device}/sensehat_phone/config`
  return {
    rows,
    state: (device) => `${base}/${device}/state`,
    availability: `${base}/receiver/availability`,
    key: (kind, device) => deviceKey(PHONE_ROUTES[kind].route, device),
    ofSender: (kind, device) => ({
      readings: () => rows(kind, device),
      ledger: topics.ledger,
      bridgeAvailability: topics.bridgeAvailability,
      bridgeInfo: topics.bridgeInfo,
    }),
    discovery,
    allDiscovery: discovery('+'),
    homeAssistantStatus: topics.homeAssistantStatus,
  }
}

/** Throws `E_CONFIG_INVALID` where messages of the app would be taken for our own words, and left out. */
export function mustBeTheApps(filters: readonly string[], ownBases: readonly string[]): void {
  for (const filter of filters)
    for (const base of ownBases)
      if (filter === base || filter.startsWith(`${base}/`))
        throw new SnowhatError(
          'E_CONFIG_INVALID',
          `phone.mqtt_topics has ${filter}, but what stands below ${base} is Snowhat's own`,
          { hint: 'let the app publish to another topic, such as sensor-logger' },
        )
}

/** `a/#` is `a` too: a broker may send what two filters match twice [observed, Mosquitto 2.0]. */
export function withoutCovered(filters: readonly string[]): string[] {
  const wide = filters.filter((filter) => filter.endsWith('/#')).map((filter) => filter.slice(0, -2))
  return filters.filter(
    (filter) => !wide.some((level) => filter === level || (filter.startsWith(`${level}/`) && filter !== `${level}/#`)),
  )
}
