import type { Case, JudgeOptions } from './case.ts'
import { judgeComponent } from './component-rules.ts'
import { isEntityPlatform, parseDiscoveryTopic, readDocument } from './document.ts'
import { judgeRoot } from './document-rules.ts'
import { type Fields, type Finding, isFields, isText, type Report } from './finding.ts'

/** A message on a discovery topic. */
export interface DiscoveryMessage {
  readonly topic: string
  readonly payload: Uint8Array | string
  /** As it was published. Absent where nobody can know: a subscriber of long standing gets every message without. */
  readonly retain?: boolean
  /** As it was published. */
  readonly qos?: number
}

/** The publishers' own limit of a document (T2). */
const OWN_LIMIT_BYTES = 256 * 1024

/**
 * Everything that is wrong with a device document, by the rules of Home Assistant 2026.9 with 2025.10 as its floor
 * (specification, parts 1 and 4). Nothing is remembered and nothing is read but what is given.
 */
export function judge(message: DiscoveryMessage, options: JudgeOptions = {}): readonly Finding[] {
  const { topic, payload } = message
  const findings: Finding[] = []
  const report: Report = (rule, level, text) => findings.push({ rule, level, message: text })
  if (!parseDiscoveryTopic(topic, options.prefix ?? 'homeassistant')) {
    report('T1', 'topic', `${topic} is no discovery topic of a device`)
    return findings
  }
  judgeDelivery(message, options, report)
  // No payload: the document is removed.
  if (payload.length === 0) return findings
  const document = readDocument(payload)
  if (!document) {
    report('T2', 'document', 'the payload is no JSON object in UTF-8')
    return findings
  }
  for (const key of document.doubled) report('1.3', 'own', `${key} is there in full and abbreviated`)
  const the: Case = { root: document.root, options }
  judgeRoot(the, report)
  const taken = idsOf(options.others ?? new Map(), topic)
  for (const [key, component] of Object.entries(document.components)) {
    const reportOn: Report = (rule, level, text) => findings.push({ rule, level, component: key, message: text })
    judgeKey(key, reportOn)
    if (!isFields(component)) {
      reportOn('D6', 'document', 'the component is no object')
      continue
    }
    judgeComponent(component, the, reportOn)
    judgeUniqueId(component, taken, options, reportOn)
  }
  return findings
}

function judgeDelivery({ payload, retain, qos }: DiscoveryMessage, options: JudgeOptions, report: Report): void {
  if (retain === false) report('T2', 'own', 'the document is not retained: nobody who comes later sees it')
  if (qos !== undefined && qos !== 1) report('T2', 'own', `the document came with QoS ${qos}, not 1`)
  const bytes = Buffer.byteLength(payload)
  const limit = Math.min(OWN_LIMIT_BYTES, options.maximumPacketSize ?? OWN_LIMIT_BYTES)
  if (bytes > limit) report('T2', 'own', `the document has ${bytes} bytes, more than ${limit}`)
}

function judgeKey(key: string, report: Report): void {
  if (!/^[a-zA-Z0-9_-]+$/.test(key)) report('D8', 'document', `the component's key ${JSON.stringify(key)}`)
}

function judgeUniqueId(component: Fields, taken: Map<string, string>, options: JudgeOptions, report: Report): void {
  const id = identityOf(component)
  if (id === undefined) return
  const first = taken.get(id)
  if (first !== undefined) report('C3', 'add', `${id} does not generate unique IDs: it is on ${first} too`)
  taken.set(id, 'this topic')
  if (options.uniqueIds && !options.uniqueIds.test(String(component.unique_id)))
    report('C3', 'own', `unique_id ${component.unique_id} has not the form of all others`)
}

/** Unique in the whole integration, per platform (spec 1.7). */
function identityOf(component: Fields): string | undefined {
  const { platform, unique_id } = component
  return isEntityPlatform(platform) && isText(unique_id) ? `${platform} ${unique_id}` : undefined
}

function idsOf(documents: ReadonlyMap<string, Uint8Array | string>, except: string): Map<string, string> {
  const ids = new Map<string, string>()
  for (const [topic, payload] of documents) {
    const components = topic === except ? [] : Object.values(readDocument(payload)?.components ?? {})
    for (const component of components) {
      const id = isFields(component) ? identityOf(component) : undefined
      if (id !== undefined) ids.set(id, topic)
    }
  }
  return ids
}
