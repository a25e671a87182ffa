import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { goodDocument, type Loose, TOPIC, TOPICS } from './documents.ts'
import type { JudgeOptions } from './judge/case.ts'
import type { Level, Rule } from './judge/finding.ts'
import { judge } from './judge/judge.ts'
import { PLATFORMS, SUPPORTED_COMPONENTS } from './judge/tables/platforms.ts'

const OPTIONS: JudgeOptions = { topics: TOPICS, uniqueIds: /^sensehat_/ }

interface Broken {
  readonly rule: Rule
  readonly level: Level
  /** What is wrong with the document, in a few words. */
  readonly how: string
  /** Breaks a good document, or gives another payload. */
  readonly by?: (components: Loose, document: Loose) => unknown
  /** Where nothing is said of a component: the document. */
  readonly component?: string
  readonly message?: Partial<Parameters<typeof judge>[0]>
  readonly options?: JudgeOptions
  /** Nothing is said of other components. */
  readonly isAlone?: boolean
}

const on = (component: string, rule: Rule, level: Level, how: string, fields: Loose): Broken => ({
  rule,
  level,
  how,
  component,
  by: (components) => void Object.assign(components[component], fields),
  isAlone: true,
})

const root = (rule: Rule, level: Level, how: string, by: (document: Loose) => unknown): Broken => ({
  rule,
  level,
  how,
  by: (_components, document) => void by(document),
})

const without = (component: string, key: string): Broken => ({
  rule: 'C1',
  level: 'component',
  how: `${component} without ${key}`,
  component,
  by: (components) => delete components[component][key],
  isAlone: true,
})

const TOPIC_AND_PAYLOAD: readonly Broken[] = [
  { rule: 'T1', level: 'topic', how: 'a dot in the node', message: { topic: 'homeassistant/device/pi.a/x/config' } },
  { rule: 'T1', level: 'topic', how: 'a level too many', message: { topic: 'homeassistant/device/a/b/c/config' } },
  { rule: 'T1', level: 'topic', how: 'another prefix', options: { ...OPTIONS, prefix: 'ha' } },
  { rule: 'T2', level: 'own', how: 'not retained', message: { retain: false } },
  { rule: 'T2', level: 'own', how: 'QoS 0', message: { qos: 0 } },
  { rule: 'T2', level: 'document', how: 'no JSON', message: { payload: '{"device":' } },
  { rule: 'T2', level: 'document', how: 'no object', message: { payload: '[]' } },
  { rule: 'T2', level: 'document', how: 'not UTF-8', message: { payload: Buffer.from([0x7b, 0xff, 0x7d]) } },
  { rule: 'T2', level: 'own', how: 'larger than the broker takes', options: { ...OPTIONS, maximumPacketSize: 1000 } },
  root('T2', 'own', 'larger than 256 KiB', (document) => {
    document.device.model = 'x'.repeat(262_144)
  }),
]

const DOCUMENT: readonly Broken[] = [
  root('D1', 'document', 'an unknown root key', (document) => Object.assign(document, { '~': 'sensehat/pi-a' })),
  root('D1', 'document', 'an expiry at the root', (document) => Object.assign(document, { msg_exp_int: 5 })),
  root('D1', 'document', 'no components', (document) => delete document.components),
  root('D2', 'document', 'no device', (document) => delete document.device),
  root('D2', 'document', 'nothing to know the device by', ({ device }) => {
    delete device.identifiers
    delete device.connections
  }),
  root('D2', 'document', 'a connection of three', ({ device }) => device.connections[0].push('x')),
  root('D3', 'document', 'an unknown key of the device', ({ device }) => Object.assign(device, { vendor: 'x' })),
  root('D3', 'document', 'a number as version', ({ device }) => Object.assign(device, { sw_version: 2 })),
  root('D3', 'document', 'an empty serial number', ({ device }) => Object.assign(device, { serial_number: '' })),
  root('D3', 'document', 'a file as page', ({ device }) => Object.assign(device, { configuration_url: 'file:///x' })),
  root('D3', 'document', 'an empty identifier', ({ device }) => Object.assign(device, { identifiers: [''] })),
  root('D4', 'advisory', 'a device without name', ({ device }) => delete device.name),
  root('D5', 'document', 'no origin', (document) => delete document.origin),
  root('D5', 'document', 'an origin without name', ({ origin }) => delete origin.name),
  root('D5', 'document', 'an unknown key of the origin', ({ origin }) => Object.assign(origin, { author: 'x' })),
  root('D5', 'document', 'no URL of the origin', ({ origin }) => Object.assign(origin, { support_url: 'here' })),
  on('temperature', 'D6', 'document', 'an unknown platform', { platform: 'thermometer' }),
  { ...without('temperature', 'platform'), rule: 'D6', level: 'document' },
  { ...without('temperature', 'unique_id'), rule: 'D7', level: 'document' },
  on('temperature', 'D7', 'document', 'an empty unique_id', { unique_id: '' }),
  {
    rule: 'D8',
    level: 'document',
    how: 'a space in a key',
    component: 'two words',
    by: (components) => Object.assign(components, { 'two words': { platform: 'sensor' } }),
  },
  root('D9', 'document', 'qos 3', (document) => Object.assign(document, { qos: 3 })),
  root('D9', 'document', 'an unknown mode', (document) => Object.assign(document, { availability_mode: 'most' })),
  root('D9', 'document', 'a wildcard within a level', (document) => Object.assign(document, { state_topic: 'a/b#' })),
  root('D9', 'document', 'two kinds of availability', (document) => Object.assign(document, { avty_t: 'a/b' })),
  root('D9', 'document', 'an availability without topic', ({ availability }) => delete availability[0].topic),
  on('temperature', 'D9', 'component', 'qos as text', { qos: '1' }),
  on('formerly', 'D10', 'document', 'a tombstone with a name', { name: 'Formerly' }),
]

const COMPONENT: readonly Broken[] = [
  ...['event_types'].map((key) => without('joystick_up', key)),
  ...['options', 'command_topic'].map((key) => without('rotation', key)),
  ...['identify', 'interval', 'paused', 'caption', 'message', 'led'].map((key) => without(key, 'command_topic')),
  ...['type', 'subtype', 'topic', 'automation_type'].map((key) => without('shortcut', key)),
  without('led', 'schema'),
  {
    rule: 'C1',
    level: 'component',
    how: 'a state topic neither here nor at the root',
    component: 'temperature',
    by: (_components, document) => delete document.state_topic,
  },
  on('problem', 'C2', 'silent', 'a misspelt key', { status_topic: 'sensehat/pi-a/info' }),
  on('problem', 'C2', 'silent', 'a key of another platform', { unit_of_measurement: '%' }),
  on('temperature', 'C2', 'silent', 'a key that is gone', { obj_id: 'temperature' }),
  on('compass', 'C3', 'add', 'an id used twice here', { unique_id: 'sensehat_pi-a_temperature' }),
  on('compass', 'C3', 'own', 'an id in another form', { unique_id: 'compass' }),
  {
    rule: 'C3',
    level: 'add',
    how: 'an id used elsewhere',
    component: 'led',
    options: {
      ...OPTIONS,
      others: new Map([
        ['homeassistant/device/x/config', '{"cmps":{"l":{"p":"light","uniq_id":"sensehat_pi-a_led"}}}'],
      ]),
    },
  },
  on('problem', 'C4', 'component', 'the other kind of availability than the root', { availability_topic: 'a/b' }),
  on('problem', 'C4', 'component', 'an availability without topic', { availability: { payload_available: 'yes' } }),
  on('problem', 'C4', 'component', 'an unknown key of an availability', { avty: [{ t: 'a/b', payload_on: '1' }] }),
  on('interval', 'C5', 'component', 'an unknown category', { entity_category: 'system' }),
  on('problem', 'C5', 'add', 'a sensor as setting', { entity_category: 'config' }),
  on('temperature', 'C6', 'component', 'an unknown class', { device_class: 'acceleration' }),
  on('identify', 'C6', 'component', 'the class of another platform', { device_class: 'switch' }),
  on('interval', 'C6', 'component', 'a number that is a time', { device_class: 'timestamp' }),
  on('temperature', 'C7', 'component', 'the unit of another class', { unit_of_measurement: 'hPa' }),
  { ...without('temperature', 'unit_of_measurement'), rule: 'C7', level: 'advisory' },
  on('temperature', 'C7', 'component', 'a unit where none may be', { device_class: 'ph', unit_of_measurement: 'pH' }),
  { ...without('activity', 'options'), rule: 'C8' },
  on('activity', 'C8', 'component', 'no options', { options: [] }),
  on('activity', 'C8', 'component', 'an option twice', { options: ['walking', 'walking'] }),
  on('activity', 'C8', 'component', 'an enumeration in a unit', { unit_of_measurement: 'm/s' }),
  on('activity', 'C8', 'own', 'a value outside', { options: ['stationary', 'running'] }),
  on('mag_x', 'C8', 'component', 'options of a number', { options: ['1', '2'] }),
  on('last_boot', 'C9', 'add', 'a time in a unit', { unit_of_measurement: 's' }),
  on('last_boot', 'C9', 'add', 'a time with a state class', { state_class: 'measurement' }),
  on('last_boot', 'C9', 'add', 'a time with decimals', { suggested_display_precision: 0 }),
  on('compass', 'C10', 'component', 'an angle in radians', { unit_of_measurement: 'rad' }),
  { ...without('compass', 'unit_of_measurement'), rule: 'C10' },
  on('temperature', 'C11', 'advisory', 'a sum of temperatures', { state_class: 'total' }),
  on('temperature', 'C11', 'component', 'an unknown state class', { state_class: 'mean' }),
  on('mag_x', 'C11', 'component', 'a reset of a measurement', { lrst_val_tpl: '{{ value_json.compass }}' }),
  on('interval', 'C12', 'component', 'a step of nothing', { step: 0 }),
  on('interval', 'C12', 'component', 'a range upside down', { min: 10, max: 1 }),
  on('interval', 'C12', 'own', 'a range of one', { min: 10, max: 10 }),
  on('joystick_up', 'C13', 'component', 'no event types', { event_types: [] }),
  on('joystick_up', 'C13', 'own', 'an event that is not announced', { event_types: ['press_start'] }),
  on('rotation', 'C14', 'component', 'no options', { options: [] }),
  on('rotation', 'C14', 'own', 'a choice that is not announced', { options: ['0', '90'] }),
  on('led', 'C15', 'component', 'another schema', { schema: 'basic' }),
  on('led', 'C15', 'component', 'an unknown colour mode', { supported_color_modes: ['cmyk'] }),
  on('led', 'C15', 'component', 'on and off beside colours', { supported_color_modes: ['onoff', 'rgb'] }),
  on('led', 'C15', 'component', 'white without colours', { supported_color_modes: ['white'] }),
  on('led', 'C15', 'own', 'two kinds of colours', { supported_color_modes: ['rgb', 'hs'] }),
  on('led', 'C15', 'own', 'a list of effects without effects', { effect: false }),
  on('led', 'C15', 'component', 'an empty list of effects', { effect_list: [] }),
  on('led', 'C15', 'component', 'a key of old', { rgb: true }),
  on('led', 'C16', 'component', 'a command to everybody', { command_topic: 'sensehat/+/set/led' }),
  on('led', 'C16', 'component', 'an empty topic', { command_topic: '' }),
  on('led', 'C16', 'component', 'a control character', { state_topic: 'sensehat/\u0000' }),
  on('led', 'C16', 'own', 'a space', { command_topic: 'sensehat/pi a/set/led' }),
  on('led', 'C16', 'own', 'a slash before it', { command_topic: '/sensehat/pi-a/set/led' }),
  on('temperature', 'C17', 'component', 'a template without end', { value_template: '{{ value_json.temperature' }),
  on('temperature', 'C17', 'component', 'a stray bracket', { value_template: '{{ value_json.temperature) }}' }),
  on('temperature', 'C17', 'own', 'a template without beginning', { value_template: 'value_json.temperature }}' }),
  on('temperature', 'C17', 'own', 'a template that is none', { value_template: 'temperature' }),
  on('temperature', 'C17', 'own', 'a template nobody here knows', { value_template: '{{ states("sensor.x") }}' }),
  on('temperature', 'C17', 'own', 'a field that is not there', { value_template: '{{ value_json.temprature }}' }),
  on('mag_x', 'C17', 'own', 'a field deeper than there are', { value_template: '{{ value_json.imu.mag_y }}' }),
  on('led', 'C17', 'own', 'a command that reads', { command_template: '{{ value_json.a }}' }),
  on('problem', 'C17', 'own', 'a field of attributes that is not there', {
    json_attributes_template: '{{ value_json.detail | tojson }}',
  }),
  on('problem', 'C17', 'own', 'a field of an availability that is not there', {
    availability: [{ topic: 'sensehat/pi-a/info', value_template: '{{ value_json.up }}' }],
  }),
  on('temperature', 'C17', 'own', 'a topic nobody promises anything of', { state_topic: 'sensehat/pi-a/readings' }),
  root('C17', 'document', 'a template of all availability that never ends', ({ availability }) =>
    Object.assign(availability[0], { value_template: '{{ value_json.state }' }),
  ),
  on('temperature', 'C18', 'component', 'an expiry of a half', { expire_after: 0.5 }),
  on('temperature', 'C18', 'own', 'an expiry of two intervals', { expire_after: 20 }),
  on('problem', 'C18', 'own', 'an expiry of what is retained', { expire_after: 60 }),
  on('temperature', 'C19', 'own', 'an id without platform', { default_entity_id: 'pi_a_temperature' }),
  on('temperature', 'C19', 'own', 'the id of another platform', { default_entity_id: 'light.pi_a_temperature' }),
  on('temperature', 'C19', 'own', 'an id with a hyphen', { default_entity_id: 'sensor.pi-a' }),
  ...['identify', 'message', 'interval', 'led', 'paused', 'rotation', 'caption'].map((key) =>
    on(key, 'C20', 'own', 'a retained command', { retain: true }),
  ),
  on('mag_x', 'C21', 'own', 'a micro sign of its own', { unit_of_measurement: '\u00b5T' }),
  on('temperature', 'C21', 'advisory', 'a micro sign that is rewritten', {
    device_class: 'voltage',
    unit_of_measurement: '\u00b5V',
  }),
  on('temperature', 'C22', 'component', 'half a decimal', { suggested_display_precision: 0.5 }),
  on('temperature', 'C22', 'component', 'less than no decimals', { suggested_display_precision: -1 }),
  on('update', 'C23', 'component', 'an update of anything else', { device_class: 'battery' }),
  on('temperature', '1.3', 'own', 'a topic base', { '~': 'sensehat/pi-a' }),
  { ...without('caption', 'state_topic'), rule: '1.3', level: 'own' },
  root('1.3', 'own', 'both forms of a key', ({ components }) =>
    Object.assign(components.temperature, { uniq_id: 'sensehat_pi-a_temperature' }),
  ),
  on('temperature', '1.7', 'own', 'the device’s name again', { name: 'Sense HAT pi-a temperature' }),
]

function judged({ by, message, options = OPTIONS }: Partial<Broken>) {
  const document = goodDocument()
  by?.(document.components, document)
  return judge({ topic: TOPIC, payload: JSON.stringify(document), retain: true, qos: 1, ...message }, options)
}

describe('the judge', () => {
  it('finds nothing in a good document', () => {
    expect(judged({})).toEqual([])
  })

  it('has every platform it knows in that document, and knows none Home Assistant does not support', () => {
    const there = new Set(Object.values(goodDocument().components as Loose).map(({ platform }) => platform))
    expect([...PLATFORMS.keys()].filter((platform) => !there.has(platform))).toEqual([])
    expect([...PLATFORMS.keys()].filter((platform) => !SUPPORTED_COMPONENTS.has(platform))).toEqual([])
  })

  it('takes abbreviations, one availability for a list of one, and bytes', () => {
    const payload = Buffer.from(
      JSON.stringify({
        dev: { ids: 'sensehat_pi-a', name: 'Pi', mf: 'x', mdl: 'x', sn: 'x', hw: '1', sw: '1', cu: 'http://pi-a/' },
        o: { name: 'x', sw: '1', url: 'https://example.org/' },
        avty: { t: 'sensehat/pi-a/availability', pl_avail: 'online', pl_not_avail: 'offline' },
        stat_t: 'sensehat/pi-a/state',
        qos: 1,
        cmps: {
          temperature: {
            p: 'sensor',
            uniq_id: 'sensehat_pi-a_temperature',
            def_ent_id: 'sensor.pi_a_temperature',
            val_tpl: '{{ value_json.temperature }}',
            dev_cla: 'temperature',
            unit_of_meas: '°C',
            stat_cla: 'measurement',
            sug_dsp_prc: 1,
            exp_aft: 90,
          },
        },
      }),
    )
    expect(judge({ topic: TOPIC, payload }, OPTIONS)).toEqual([])
  })

  it('lets a document be removed', () => {
    expect(judge({ topic: TOPIC, payload: '', retain: true, qos: 1 }, OPTIONS)).toEqual([])
  })

  it('does not mind what it has not been told', () => {
    expect(judged({ options: {}, message: {} })).toEqual([])
  })

  it('drops what a platform does not know only where it is the component’s own', () => {
    const findings = judged({
      by: (_components, document) => Object.assign(document, { command_topic: 'sensehat/pi-a/set' }),
    })
    expect(findings).toEqual([])
  })

  it.each([...TOPIC_AND_PAYLOAD, ...DOCUMENT, ...COMPONENT])('$rule: $how ($component, $level)', (broken) => {
    const { rule, level, component } = broken
    const findings = judged(broken).map(({ message: _message, ...finding }) => finding)
    expect(findings).toContainEqual({ rule, level, ...(component !== undefined && { component }) })
    if (broken.isAlone) expect(findings.filter((finding) => finding.component !== component)).toEqual([])
  })

  it('has a broken document for every rule of the checklist', () => {
    const numbered = (letter: string, last: number) => Array.from({ length: last }, (_, i) => `${letter}${i + 1}`)
    const shown = new Set<string>([...TOPIC_AND_PAYLOAD, ...DOCUMENT, ...COMPONENT].map(({ rule }) => rule))
    expect(
      [...numbered('T', 2), ...numbered('D', 10), ...numbered('C', 23)].filter((rule) => !shown.has(rule)),
    ).toEqual([])
  })

  it('has an answer to anything', () => {
    const platforms = Object.values(goodDocument().components as Loose)
    const answers = (sent: unknown) => Array.isArray(judge({ topic: TOPIC, payload: JSON.stringify(sent) }, OPTIONS))
    fc.assert(
      fc.property(fc.constantFrom(...platforms), fc.jsonValue(), (component, value) => {
        expect(answers(value)).toBe(true)
        for (const key of Object.keys(goodDocument())) expect(answers({ ...goodDocument(), [key]: value })).toBe(true)
        for (const key of Object.keys(component))
          expect(answers({ ...goodDocument(), components: { x: { ...component, [key]: value } } })).toBe(true)
      }),
      { numRuns: 50, examples: [[platforms[0] as Loose, { toString: '' }]] },
    )
  })
})
