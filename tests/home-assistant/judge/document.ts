import { type Fields, isFields } from './finding.ts'
import { ABBREVIATIONS, DEVICE_ABBREVIATIONS, ORIGIN_ABBREVIATIONS } from './tables/abbreviations.ts'
import { SHARED_OPTIONS } from './tables/document-keys.ts'
import { WITHOUT_ENTITY } from './tables/platforms.ts'

/** A device document with every key in full. What is not as it should be is as it was sent. */
export interface DeviceDocument {
  readonly root: Fields
  readonly components: Readonly<Record<string, unknown>>
  /** Keys that came in both forms: which one counts is chance. */
  readonly doubled: readonly string[]
}

/** The levels of a discovery topic that are the publisher's. */
export interface DiscoveryTopic {
  readonly nodeId: string | undefined
  readonly objectId: string
}

export interface ConfigTopic extends DiscoveryTopic {
  /** `device`, or a platform. */
  readonly component: string
}

/** `<prefix>/device/[<node_id>/]<object_id>/config`, or nothing [spec 1.1]. */
export function parseDiscoveryTopic(topic: string, prefix: string): DiscoveryTopic | undefined {
  const found = parseConfigTopic(topic, prefix)
  return found?.component === 'device' ? found : undefined
}

/** The same of documents of one component too. */
export function parseConfigTopic(topic: string, prefix: string): ConfigTopic | undefined {
  if (!topic.startsWith(`${prefix}/`)) return undefined
  const levels = /^(\w+)\/(?:([A-Za-z0-9_-]+)\/)?([A-Za-z0-9_-]+)\/config$/.exec(topic.slice(prefix.length + 1))
  return levels ? { component: levels[1] as string, nodeId: levels[2], objectId: levels[3] as string } : undefined
}

/** A payload as text, or nothing when it is not UTF-8. */
export function textOf(payload: Uint8Array | string): string | undefined {
  if (typeof payload === 'string') return payload
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
  } catch {
    return undefined
  }
}

/** A finding shows values, and JSON may hold an object whose own `toString` is none. */
function sayable(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null
    ? Object.defineProperty(value, Symbol.toPrimitive, { value: () => JSON.stringify(value) })
    : value
}

/** The document, or nothing when the payload is no JSON object in UTF-8. */
export function readDocument(payload: Uint8Array | string): DeviceDocument | undefined {
  let sent: unknown
  try {
    sent = JSON.parse(textOf(payload) ?? '', sayable)
  } catch {
    return undefined
  }
  if (!isFields(sent)) return undefined
  const doubled: string[] = []
  const root = { ...inFull(sent, ABBREVIATIONS, doubled) }
  if (isFields(root.device)) root.device = inFull(root.device, DEVICE_ABBREVIATIONS, doubled)
  if (isFields(root.origin)) root.origin = inFull(root.origin, ORIGIN_ABBREVIATIONS, doubled)
  const components = isFields(root.components) ? root.components : {}
  return {
    root: withAvailabilityInFull(root, doubled),
    components: Object.fromEntries(
      Object.entries(components).map(([key, component]) => [
        key,
        isFields(component) ? withAvailabilityInFull(inFull(component, ABBREVIATIONS, doubled), doubled) : component,
      ]),
    ),
    doubled,
  }
}

/** The component with what it inherits from the root: by name, whatever the name means to it (spec 1.3). */
export function withSharedOptions(root: Fields, component: Fields): Fields {
  const inherited = SHARED_OPTIONS.filter((key) => key in root && !(key in component))
  return { ...component, ...Object.fromEntries(inherited.map((key) => [key, root[key]])) }
}

/** A component that holds only its platform removes the entity (spec 1.8). */
export function isTombstone(component: Fields): boolean {
  return Object.keys(component).length === 1 && 'platform' in component
}

/** Whether a component of that platform becomes an entity, with a `unique_id`. */
export function isEntityPlatform(platform: unknown): boolean {
  return typeof platform === 'string' && !WITHOUT_ENTITY.has(platform)
}

/** Every topic a component's availability hangs on: of the list, or the single one (spec 1.10). */
export function availabilityOf(fields: Fields): readonly Fields[] {
  if (Array.isArray(fields.availability)) return fields.availability.filter(isFields)
  if (fields.availability_topic === undefined) return []
  const { availability_topic, availability_template, payload_available, payload_not_available } = fields
  return [
    { topic: availability_topic, value_template: availability_template, payload_available, payload_not_available },
  ]
}

function inFull(sent: Fields, abbreviations: ReadonlyMap<string, string>, doubled: string[]): Fields {
  const full: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(sent)) {
    const name = abbreviations.get(key) ?? key
    if (name in full) doubled.push(name)
    full[name] = value
  }
  return full
}

/** One object is as good as a list of one. */
function withAvailabilityInFull(fields: Fields, doubled: string[]): Fields {
  if (!('availability' in fields)) return fields
  const { availability } = fields
  const entries: readonly unknown[] = Array.isArray(availability) ? availability : [availability]
  return {
    ...fields,
    availability: entries.map((entry) => (isFields(entry) ? inFull(entry, ABBREVIATIONS, doubled) : entry)),
  }
}
