import type { HaPlatform } from './document.ts'

/** The node of a document; the same id from a Pi and from the bridge makes both describe one device. */
export function haDeviceIdentifier(node: string): string {
  return `sensehat_${node}`
}

/** The node of the bridge; no Pi may bear that name. */
export const HA_BRIDGE = 'bridge'

/** The name of a Pi's device. Two documents about one device must agree, or it is renamed with each of them [source]. */
export function haDeviceName(node: string): string {
  return `Sense HAT ${node}`
}

/** Never to be changed: users' history, dashboards and automations hang on it. */
export function haUniqueId(node: string, key: string): string {
  return `${haDeviceIdentifier(node)}_${key}`
}

/** `<platform>.<node>_<key>` in the characters Home Assistant allows. */
export function haEntityId(platform: HaPlatform, node: string, key: string): string {
  return `${platform}.${`${node}_${key}`.toLowerCase().replace(/[^a-z0-9_]/g, '_')}`
}

/** Home Assistant's name of a unit: its micro is the Greek letter mu (U+03BC), not the micro sign (U+00B5). */
export function haUnit(unit: string): string {
  return unit.replaceAll('\u00b5', '\u03bc')
}

/** What every entity bears: identity, name and the first entity id, all of one key. */
export function haNamed<P extends HaPlatform>(platform: P, node: string, key: string, name: string) {
  return { platform, unique_id: haUniqueId(node, key), name, default_entity_id: haEntityId(platform, node, key) }
}
