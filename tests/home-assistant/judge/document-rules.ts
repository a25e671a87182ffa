import type { Case } from './case.ts'
import { isEntityPlatform, isTombstone } from './document.ts'
import { type Fields, isFields, isText, type Report } from './finding.ts'
import {
  AVAILABILITY_KEYS,
  AVAILABILITY_MODES,
  DEVICE_KEYS,
  ORIGIN_KEYS,
  ROOT_KEYS,
  TOO_NEW_ROOT_KEYS,
} from './tables/document-keys.ts'
import { SUPPORTED_COMPONENTS } from './tables/platforms.ts'
import { judgeAvailabilityTemplates } from './template-rules.ts'
import { publicationFault, subscriptionFault } from './topics.ts'

/** D1 to D5 and D9: a fault loses every entity of the document. */
export function judgeRoot(the: Case, report: Report): void {
  const { root } = the
  for (const key of Object.keys(root)) {
    if (!ROOT_KEYS.includes(key)) report('D1', 'document', `${key} is no key of the root`)
    if (TOO_NEW_ROOT_KEYS.includes(key))
      report('D1', 'document', `${key} at the root refuses the document before Home Assistant 2026`)
  }
  if (!isFields(root.components)) report('D1', 'document', 'components is missing or no object')
  judgeDevice(root.device, report)
  judgeOrigin(root.origin, report)
  judgeSharedOptions(root, 'root', report)
  judgeAvailabilityTemplates(root, the, report)
}

/** D6, D7 and D10: they lose the document too. Whether the component is worth a look at its entity. */
export function judgePlatform(component: Fields, report: Report): boolean {
  const { platform, unique_id } = component
  if (typeof platform !== 'string' || !SUPPORTED_COMPONENTS.has(platform)) {
    report('D6', 'document', platform === undefined ? 'platform is missing' : `platform ${platform} is not supported`)
    return false
  }
  if (isTombstone(component)) return false
  if (!isEntityPlatform(platform)) return true
  if (isText(unique_id)) return true
  if (unique_id === undefined && !saysWhere(component))
    report('D10', 'document', 'a component that is to be removed holds more than its platform')
  else report('D7', 'document', 'unique_id is missing, or no text')
  return false
}

/** Without a topic or a template of its own a component is meant to describe nothing. */
function saysWhere(component: Fields): boolean {
  return Object.keys(component).some((key) => /(^|_)(topic|template)$/.test(key))
}

function judgeDevice(device: unknown, report: Report): void {
  if (!isFields(device)) {
    report('D2', 'document', 'device is missing or no object')
    return
  }
  const { identifiers, connections, configuration_url, name, ...rest } = device
  const ids: readonly unknown[] = Array.isArray(identifiers) ? identifiers : [identifiers ?? []].flat()
  const pairs: readonly unknown[] = Array.isArray(connections) ? connections : []
  if (ids.length === 0 && pairs.length === 0) report('D2', 'document', 'the device has no identifier and no connection')
  if (!ids.every(isText)) report('D3', 'document', 'an identifier of the device is no text, or empty')
  const isPair = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every(isText)
  if ((connections !== undefined && !Array.isArray(connections)) || !pairs.every(isPair))
    report('D2', 'document', 'connections are not pairs of texts')
  for (const key of Object.keys(device))
    if (!DEVICE_KEYS.includes(key)) report('D3', 'document', `${key} is no key of device`)
  for (const [key, value] of Object.entries({ ...rest, ...(name !== undefined && { name }) }))
    if (DEVICE_KEYS.includes(key) && !isText(value)) report('D3', 'document', `device.${key} is no text, or empty`)
  if (configuration_url !== undefined && !isUrl(configuration_url, ['http:', 'https:', 'homeassistant:']))
    report('D3', 'document', 'device.configuration_url is no http, https or homeassistant URL')
  if (name === undefined) report('D4', 'advisory', 'the device has no name')
}

function judgeOrigin(origin: unknown, report: Report): void {
  if (!isFields(origin)) {
    report('D5', 'document', 'origin is missing or no object')
    return
  }
  if (!isText(origin.name)) report('D5', 'document', 'origin has no name')
  for (const key of Object.keys(origin))
    if (!ORIGIN_KEYS.includes(key)) report('D5', 'document', `${key} is no key of origin`)
  if (origin.sw_version !== undefined && !isText(origin.sw_version))
    report('D5', 'document', 'origin.sw_version is no text')
  if (origin.support_url !== undefined && !isUrl(origin.support_url, ['http:', 'https:']))
    report('D5', 'document', 'origin.support_url is no URL')
}

/**
 * The types of the shared options (D9). At the root they lose the document, in a component only that; there the rules
 * for its availability and its topics are C4 and C16.
 */
export function judgeSharedOptions(fields: Fields, at: 'root' | 'component', report: Report): void {
  const level = at === 'root' ? 'document' : 'component'
  const availabilityRule = at === 'root' ? 'D9' : 'C4'
  if ('availability' in fields && 'availability_topic' in fields)
    report(availabilityRule, level, 'both availability and availability_topic: they exclude one another')
  for (const entry of Array.isArray(fields.availability) ? fields.availability : []) {
    const fault = availabilityFault(entry)
    if (fault !== undefined) report(availabilityRule, level, `an entry of availability ${fault}`)
  }
  const { availability_mode, qos, encoding } = fields
  if (availability_mode !== undefined && !AVAILABILITY_MODES.includes(availability_mode))
    report('D9', level, `availability_mode ${availability_mode}`)
  if (qos !== undefined && ![0, 1, 2].includes(qos as number)) report('D9', level, `qos ${qos}`)
  if (encoding !== undefined && typeof encoding !== 'string') report('D9', level, 'encoding is no text')
  for (const [key, fault] of topicFaults(fields)) report(at === 'root' ? 'D9' : 'C16', level, `${key} ${fault}`)
}

/** The topics among a component's or the root's options, and what is wrong with them. */
function topicFaults(fields: Fields): [key: string, fault: string][] {
  return Object.entries(fields).flatMap(([key, value]): [string, string][] => {
    if (!/(^|_)topic$/.test(key)) return []
    const fault = key === 'command_topic' ? publicationFault(value) : subscriptionFault(value)
    return fault === undefined ? [] : [[key, fault]]
  })
}

function availabilityFault(entry: unknown): string | undefined {
  if (!isFields(entry)) return 'is no object'
  if (entry.topic === undefined) return 'has no topic'
  const fault = subscriptionFault(entry.topic)
  if (fault !== undefined) return `has a topic that ${fault}`
  const unknown = Object.keys(entry).find((key) => !AVAILABILITY_KEYS.includes(key))
  return unknown === undefined ? undefined : `has no key ${unknown}`
}

function isUrl(value: unknown, schemes: readonly string[]): boolean {
  return typeof value === 'string' && URL.canParse(value) && schemes.includes(new URL(value).protocol)
}
