import type { TopicFacts } from './judge/case.ts'

/** A document before it is broken: anything may be put into it. */
// biome-ignore lint/suspicious/noExplicitAny: what is wrong with it is what the tests are about.
export type Loose = Record<string, any>

export const TOPIC = 'homeassistant/device/pi-a/sensehat/config'

/** Of a device `node` with one entity of every platform. New at each call: take it apart as you like. */
export function goodDocument(node = 'pi-a'): Loose {
  const entity = (platform: string, key: string, more: Loose): Loose => ({
    platform,
    unique_id: `sensehat_${node}_${key}`,
    name: key,
    default_entity_id: `${platform}.${node.replaceAll('-', '_')}_${key}`,
    ...more,
  })
  const topic = (rest: string) => `sensehat/${node}/${rest}`
  return {
    device: {
      identifiers: [`sensehat_${node}`],
      connections: [['mac', '02:00:00:00:00:0A']],
      name: `Sense HAT ${node}`,
      manufacturer: 'Raspberry Pi',
      sw_version: '1.2.3',
      configuration_url: `http://${node}.local/`,
    },
    origin: { name: 'a publisher', sw_version: '1.2.3', support_url: 'https://example.org/' },
    availability: [{ topic: topic('availability') }],
    availability_mode: 'all',
    state_topic: topic('state'),
    qos: 1,
    components: {
      temperature: entity('sensor', 'temperature', {
        value_template: '{{ value_json.temperature }}',
        device_class: 'temperature',
        unit_of_measurement: '°C',
        state_class: 'measurement',
        suggested_display_precision: 1,
        expire_after: 35,
      }),
      compass: entity('sensor', 'compass', {
        value_template: '{{ value_json.compass }}',
        unit_of_measurement: '°',
        state_class: 'measurement_angle',
        icon: 'mdi:compass',
        enabled_by_default: false,
      }),
      mag_x: entity('sensor', 'mag_x', {
        value_template: '{{ value_json.imu.mag_x }}',
        unit_of_measurement: '\u03bcT',
        state_class: 'measurement',
      }),
      last_boot: entity('sensor', 'last_boot', {
        state_topic: topic('info'),
        value_template: '{{ value_json.booted_at }}',
        device_class: 'timestamp',
        entity_category: 'diagnostic',
      }),
      activity: entity('sensor', 'activity', {
        state_topic: topic('activity'),
        value_template: '{{ value_json.activity }}',
        device_class: 'enum',
        options: ['stationary', 'walking'],
      }),
      connectivity: entity('binary_sensor', 'connectivity', {
        state_topic: topic('availability'),
        payload_on: 'online',
        payload_off: 'offline',
        device_class: 'connectivity',
        availability: [],
        entity_category: 'diagnostic',
      }),
      problem: entity('binary_sensor', 'problem', {
        state_topic: topic('info'),
        value_template: "{{ 'ON' if value_json.problems else 'OFF' }}",
        json_attributes_topic: topic('info'),
        json_attributes_template: "{{ {'problems': value_json.problems} | tojson }}",
        device_class: 'problem',
      }),
      identify: entity('button', 'identify', {
        command_topic: topic('set/identify'),
        payload_press: '{"seconds":3}',
        device_class: 'identify',
        message_expiry_interval: 15,
      }),
      interval: entity('number', 'interval', {
        state_topic: topic('settings'),
        value_template: '{{ value_json.interval_s }}',
        command_topic: topic('set/interval'),
        command_template: '{"interval_s": {{ value }}}',
        device_class: 'duration',
        unit_of_measurement: 's',
        min: 1,
        max: 3600,
        step: 1,
        mode: 'box',
        entity_category: 'config',
      }),
      rotation: entity('select', 'rotation', {
        state_topic: topic('settings'),
        value_template: '{{ value_json.rotation }}',
        command_topic: topic('set/rotation'),
        options: ['0', '90', '180', '270'],
      }),
      paused: entity('switch', 'paused', {
        state_topic: topic('settings'),
        value_template: "{{ 'ON' if value_json.paused else 'OFF' }}",
        command_topic: topic('set/paused'),
        device_class: 'switch',
      }),
      caption: entity('text', 'caption', {
        state_topic: topic('caption'),
        command_topic: topic('set/caption'),
        max: 40,
      }),
      message: entity('notify', 'message', {
        command_topic: topic('set/message'),
        command_template: '{{ {"text": value} | tojson }}',
      }),
      joystick_up: entity('event', 'joystick_up', {
        state_topic: topic('event/up'),
        device_class: 'button',
        event_types: ['press_start', 'press_end'],
      }),
      led: entity('light', 'led', {
        schema: 'json',
        state_topic: topic('led'),
        command_topic: topic('set/led'),
        brightness: true,
        supported_color_modes: ['rgb'],
        effect: true,
        effect_list: ['off', 'rainbow'],
        transition: false,
      }),
      update: entity('update', 'update', { state_topic: topic('update'), device_class: 'firmware' }),
      shortcut: {
        platform: 'device_automation',
        automation_type: 'trigger',
        type: 'button_short_press',
        subtype: 'up',
        topic: topic('event/up'),
        payload: 'press_start',
        value_template: '{{ value_json.event_type }}',
      },
      formerly: { platform: 'sensor' },
    },
  }
}

/** What the publisher of `goodDocument('pi-a')` promises of its topics. */
export const TOPICS: Readonly<Record<string, TopicFacts>> = {
  'sensehat/pi-a/state': { intervalSeconds: 10, fields: ['temperature', 'compass', 'imu.mag_x'] },
  'sensehat/pi-a/info': { retained: true, fields: ['booted_at', 'problems'] },
  'sensehat/pi-a/settings': {
    retained: true,
    fields: ['interval_s', 'rotation', 'paused'],
    samples: ['{"interval_s":10,"rotation":0,"paused":false}', '{"interval_s":10,"rotation":270,"paused":true}'],
  },
  'sensehat/pi-a/activity': { fields: ['activity'], samples: ['{"activity":"walking"}', '{"activity":null}'] },
  'sensehat/pi-a/event/up': { fields: ['event_type'], samples: ['{"event_type":"press_end"}'] },
}

/** Without what the fake says it cannot do. */
export function goodEntities(node = 'pi-a'): Loose {
  const document = goodDocument(node)
  delete document.components.shortcut
  return document
}
