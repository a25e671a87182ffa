import { describe, expect, it } from 'vitest'
import { type DiscoveryInput, discoveryDocument } from '../../../publisher/home-assistant/device-document.ts'
import { stateOf } from '../../../publisher/home-assistant/state.ts'
import { HOST_KEYS } from '../../../publisher/host-metrics.ts'
import { BOARD_KEYS } from '../../../publisher/sensors/sensors.ts'
import type { HaComponent } from '../../../src/home-assistant/document.ts'
import { encodeHaDocument } from '../../../src/home-assistant/encode.ts'
import { haUnit } from '../../../src/home-assistant/names.ts'
import { identity, reading, topics } from '../support.ts'

const everything: DiscoveryInput = {
  identity,
  version: '1.2.3',
  board: 'Sense HAT V2 (simulated)',
  keys: new Set([...BOARD_KEYS.v2, ...HOST_KEYS]),
  stateIntervalMs: 10_000,
  bootTimeKnown: true,
  hasMatrix: true,
  hasJoystick: true,
  canRestart: true,
}
const document = discoveryDocument(everything, topics)
type Loose = Record<string, unknown>
const parsed = JSON.parse(encodeHaDocument(document)) as Loose & { components: Record<string, Loose>; device: Loose }
const components = Object.entries(parsed.components)
const sensors = components.filter(([, c]) => c.platform === 'sensor')

/** Units Home Assistant has for the classes used here. */
const CLASS_UNITS: Record<string, string> = {
  temperature: '°C',
  humidity: '%',
  atmospheric_pressure: 'hPa',
  illuminance: 'lx',
  signal_strength: 'dBm',
  data_size: 'MiB',
}

describe('the device document', () => {
  it('has only root keys Home Assistant knows (D1)', () => {
    const known = ['device', 'origin', 'components', 'availability', 'availability_mode', 'state_topic', 'qos']
    expect(Object.keys(parsed).filter((key) => !known.includes(key))).toEqual([])
  })

  it('names a device by identifier, network address and name, and its origin (D2 to D5)', () => {
    expect(parsed.device).toEqual({
      identifiers: ['sensehat_pi-a'],
      connections: [['mac', '02:00:00:00:00:07']],
      name: 'Sense HAT pi-a',
      manufacturer: 'Raspberry Pi',
      model: 'Sense HAT V2 (simulated) on Raspberry Pi 4 Model B Rev 1.4',
      serial_number: '00000000abcdef01',
      sw_version: '1.2.3',
    })
    expect(parsed.origin).toEqual({ name: 'snowhat', sw_version: '1.2.3' })
  })

  it('gives every component a platform, an id that will never change and a key without spaces (D6 to D8)', () => {
    expect(components.length).toBeGreaterThan(30)
    for (const [key, component] of components) {
      expect(component.platform).toMatch(/^[a-z_]+$/)
      expect(component.unique_id).toBe(`sensehat_pi-a_${key}`)
      expect(key).toMatch(/^[a-zA-Z0-9_-]+$/)
    }
  })

  it('uses no category that sensors may not have (C5)', () => {
    for (const [, { entity_category, platform }] of components)
      if (String(platform).endsWith('sensor')) expect([undefined, 'diagnostic']).toContain(entity_category)
  })

  it('gives each class its unit, and no class a unit of another (C7)', () => {
    for (const [key, { device_class, unit_of_measurement }] of sensors)
      if (typeof device_class === 'string' && device_class !== 'timestamp')
        expect(unit_of_measurement, key).toBe(CLASS_UNITS[device_class])
  })

  it('gives a time no unit, no state class and no precision (C9)', () => {
    const boot = parsed.components.last_boot
    expect(boot?.device_class).toBe('timestamp')
    expect(boot).not.toHaveProperty('unit_of_measurement')
    expect(boot).not.toHaveProperty('state_class')
    expect(boot).not.toHaveProperty('suggested_display_precision')
  })

  it('averages angles on the circle, and only angles (C10)', () => {
    for (const [key, { state_class, unit_of_measurement }] of sensors)
      expect(state_class === 'measurement_angle', key).toBe(unit_of_measurement === '°')
  })

  it('reads only what the state topic carries (C17)', () => {
    const keys = Object.keys(stateOf(reading(1)))
    for (const [, { value_template, state_topic }] of sensors)
      if (state_topic === undefined)
        expect(keys).toContain(/^{{ value_json\.(\w+) }}$/.exec(String(value_template))?.[1])
  })

  it('lets live values expire after three intervals and a little, and retained ones never (C18)', () => {
    for (const [key, { expire_after, platform, state_topic }] of components)
      if (platform !== 'button' && platform !== 'notify')
        expect(expire_after, key).toBe(state_topic === undefined ? 35 : undefined)
  })

  it('proposes entity ids in Home Assistant’s characters (C19)', () => {
    for (const [, { platform, default_entity_id }] of components) {
      expect(default_entity_id).toMatch(/^[a-z_]+\.[a-z0-9_]+$/)
      expect(String(default_entity_id).startsWith(`${platform}.pi_a_`)).toBe(true)
    }
  })

  it('writes micro as Home Assistant does (C21)', () => {
    expect(haUnit('\u00b5T')).toBe('\u03bcT')
    expect(parsed.components.mag_x?.unit_of_measurement).toBe('\u03bcT')
    expect(encodeHaDocument(document)).not.toContain('\u00b5')
  })

  it('gives precisions as whole numbers (C22)', () => {
    for (const [, { suggested_display_precision }] of sensors)
      if (suggested_display_precision !== undefined)
        expect(Number.isInteger(suggested_display_precision) && Number(suggested_display_precision) >= 0).toBe(true)
  })

  it('shows the connection also when it is lost', () => {
    expect(parsed.components.connectivity).toMatchObject({
      availability: [],
      state_topic: 'sensehat/pi-a/availability',
    })
  })

  it('does not announce what is not there', () => {
    const small = discoveryDocument(
      { ...everything, keys: new Set([...BOARD_KEYS.v1, 'memory_percent']), bootTimeKnown: false },
      topics,
    )
    const keys = Object.keys(small.components)
    for (const absent of ['illuminance', 'color_red', 'wifi_rssi_dbm', 'cputempc', 'last_boot'])
      expect(keys).not.toContain(absent)
    expect(keys).toEqual(expect.arrayContaining(['temperature', 'compass', 'memory_percent', 'connectivity']))
  })

  it('leaves out a network address that is none', () => {
    const { device } = discoveryDocument({ ...everything, identity: { ...identity, macaddress: null } }, topics)
    expect(device).not.toHaveProperty('connections')
  })

  it('is the same text whatever order it was written in', () => {
    const component: HaComponent = { unique_id: 'x', platform: 'sensor' }
    const one = { ...document, components: { b: { platform: 'sensor' as const }, a: component } }
    const { components: _, ...rest } = document
    const other = { components: { a: { platform: 'sensor' as const, unique_id: 'x' }, b: one.components.b }, ...rest }
    expect(encodeHaDocument(one)).toBe(encodeHaDocument(other))
  })
})
