import type { HaButton, HaComponent, HaEvent, HaLight, HaNotify, HaNumber } from '../../src/home-assistant/document.ts'
import { haNamed } from '../../src/home-assistant/names.ts'
import type { Topics } from '../../src/topics.ts'
import { PRESS } from '../commands.ts'
import { INTERVAL_RANGES } from '../intervals.ts'
import { EFFECT_NAMES } from '../matrix/effects.ts'
import { DIRECTIONS, type Direction, PRESS_TYPES } from '../matrix/joystick.ts'

/*
 * What Home Assistant can tell this Pi, and what its user does with his hands. Each thing that has a state has a topic for it,
 * so that Home Assistant shows what is and not what it hopes.
 */

/** Seconds after which a command that found nobody is dropped: a Pi that comes back in an hour must not blink then. */
const STALE_S = { action: 15, setting: 60 }

/** The LED matrix: a light, a text to scroll, and a pattern to find the Pi by. */
export function matrixControls(node: string, topics: Topics): [string, HaComponent][] {
  const led: HaLight = {
    ...haNamed('light', node, 'led', 'LED matrix'),
    schema: 'json',
    state_topic: topics.led(node),
    command_topic: topics.command(node, 'led'),
    brightness: true,
    brightness_scale: 255,
    supported_color_modes: ['rgb'],
    effect: true,
    effect_list: EFFECT_NAMES,
    flash: true,
    flash_time_short: 2,
    flash_time_long: 10,
    transition: false,
    icon: 'mdi:dots-grid',
    message_expiry_interval: STALE_S.setting,
  }
  const message: HaNotify = {
    ...haNamed('notify', node, 'message', 'Message'),
    command_topic: topics.command(node, 'message'),
    // As JSON, so that quotes and line ends survive.
    command_template: '{{ {"text": value} | tojson }}',
    icon: 'mdi:message-text',
    message_expiry_interval: STALE_S.setting,
  }
  const identify: HaButton = {
    ...button('identify', node, 'Identify', topics),
    device_class: 'identify',
    entity_category: 'diagnostic',
  }
  return [
    ['led', led],
    ['message', message],
    ['identify', identify],
  ]
}

/** One event entity per direction, as Home Assistant asks for buttons [documented]. */
export function joystickEvents(node: string, topics: Topics): [string, HaComponent][] {
  return DIRECTIONS.map((direction) => {
    const part = joystickPart(direction)
    const event: HaEvent = {
      ...haNamed('event', node, part, `Joystick ${direction}`),
      state_topic: topics.event(node, part),
      device_class: 'button',
      event_types: PRESS_TYPES,
      icon: 'mdi:gamepad-variant',
    }
    return [part, event]
  })
}

export function joystickPart(direction: Direction): string {
  return `joystick_${direction}`
}

export function programControls(node: string, topics: Topics, canRestart: boolean): [string, HaComponent][] {
  const restart: HaButton = {
    ...button('restart', node, 'Restart publisher', topics),
    device_class: 'restart',
    entity_category: 'config',
  }
  return [
    ['interval', interval('interval', node, 'Reading interval', topics)],
    ['state_interval', interval('state_interval', node, 'State interval', topics)],
    ...(canRestart ? [['restart', restart] as [string, HaComponent]] : []),
  ]
}

function button(key: 'identify' | 'restart', node: string, name: string, topics: Topics): HaButton {
  return {
    ...haNamed('button', node, key, name),
    command_topic: topics.command(node, key),
    payload_press: PRESS,
    message_expiry_interval: STALE_S.action,
  }
}

function interval(key: keyof typeof INTERVAL_RANGES, node: string, name: string, topics: Topics): HaNumber {
  return {
    ...haNamed('number', node, key, name),
    state_topic: topics.settings(node),
    value_template: `{{ value_json.${key} }}`,
    command_topic: topics.command(node, key),
    command_template: '{{ value }}',
    device_class: 'duration',
    unit_of_measurement: 's',
    ...INTERVAL_RANGES[key],
    mode: 'box',
    entity_category: 'config',
    message_expiry_interval: STALE_S.setting,
  }
}
