import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * What of a released device document may never change: users' history, dashboards and automations hang on it. Each value by
 * a path for people, such as `temperature: unique_id`.
 */
export type Frozen = Readonly<Record<string, string>>

/** Of a component. A topic is what other programs and people's automations listen and write to. */
const LASTING = ['platform', 'unique_id', 'default_entity_id', 'state_topic', 'command_topic', 'json_attributes_topic']
/** Platforms that have no state. */
const STATELESS: readonly unknown[] = ['button', 'notify']

interface Loose {
  readonly device: { readonly identifiers: readonly string[] }
  readonly availability?: readonly { readonly topic: string }[]
  readonly state_topic?: unknown
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** Of one document as it is on the broker. Tombstones have nothing that lasts. */
export function frozenIn(topic: string, payload: string): Frozen {
  const { device, availability = [], state_topic, components } = JSON.parse(payload) as Loose
  const lasting: Record<string, string> = {
    topic,
    identifiers: device.identifiers.join(' '),
    availability: availability.map((one) => one.topic).join(' '),
  }
  for (const [key, component] of Object.entries(components)) {
    if (component.unique_id === undefined) continue
    const inherited = STATELESS.includes(component.platform) ? {} : { state_topic }
    const merged: Record<string, unknown> = { ...inherited, ...component }
    for (const name of LASTING) if (merged[name] !== undefined) lasting[`${key}: ${name}`] = String(merged[name])
  }
  return lasting
}

/** What was frozen and is another thing or gone now, in words. What is new is no breach. */
export function breaches(frozen: Frozen, now: Frozen): string[] {
  return Object.entries(frozen)
    .filter(([path, before]) => now[path] !== before)
    .map(([path, before]) => `${path} was ${before} and is ${now[path] ?? 'gone'}`)
}

/**
 * The file with what was released. With `SNOWHAT_FREEZE=1`, which is for a release, what is new is added to it; what is in
 * it is never changed by that.
 */
export function released(file: string, now: Frozen): Frozen {
  const frozen = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Frozen) : {}
  if (process.env.SNOWHAT_FREEZE !== '1') return frozen
  const grown = { ...now, ...frozen }
  writeFileSync(file, `${JSON.stringify(grown, null, 2)}\n`)
  return grown
}
