import { beforeEach, describe, expect, it } from 'vitest'
import { goodEntities, type Loose } from './documents.ts'
import { id, small, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.create()
})

describe('states', () => {
  it('are unavailable until told otherwise, and whenever the Pi is gone', async () => {
    await world.pi.announce(goodEntities())
    await world.state('connectivity', 'unknown')
    expect(world.ha.state(id('temperature'))).toBe('unavailable')
    await world.pi.say('availability', 'Online', true)
    await world.logged('No matching payload')
    expect(world.ha.state(id('temperature'))).toBe('unavailable')
    await world.pi.say('availability', 'online', true)
    await world.state('temperature', 'unavailable')
    await world.pi.say('state', { temperature: 21, imu: { mag_x: 1 } })
    await world.state('temperature', '21')
    world.pi.client.stream.destroy()
    await world.state('connectivity', 'off')
    expect(world.ha.state(id('temperature'))).toBe('unavailable')
    world.pi = await world.newPi()
    await world.pi.say('availability', 'online', true)
    await world.state('temperature', '21')
  })

  it.each([
    ['all', ['unavailable', 'unavailable', 'unknown', 'unavailable']],
    ['any', ['unavailable', 'unknown', 'unknown', 'unknown']],
    ['latest', ['unavailable', 'unknown', 'unknown', 'unavailable']],
  ])('hang on %s of two topics', async (availability_mode, expected) => {
    const availability = [
      { topic: 'sensehat/pi-a/availability' },
      { topic: 'sensehat/bridge', value_template: '{{ value_json.state }}' },
    ]
    const component = { platform: 'sensor', state_topic: 'sensehat/pi-a/x', availability }
    const document = small('x', { ...component, availability_mode })
    document.components.bridge = {
      ...document.components.connectivity,
      unique_id: id('bridge'),
      state_topic: 'sensehat/bridge',
      value_template: '{{ value_json.state }}',
    }
    await world.pi.announce(document)
    await world.state('connectivity', 'unknown')
    const seen = [world.ha.state(id('x'))]
    const bridge = (state: string) =>
      world.pi.client.publishAsync('sensehat/bridge', JSON.stringify({ state }), { qos: 1, retain: true })
    await world.pi.say('availability', 'online', true)
    await world.state('connectivity', 'on')
    seen.push(world.ha.state(id('x')))
    await bridge('online')
    await world.state('bridge', 'on')
    seen.push(world.ha.state(id('x')))
    await bridge('offline')
    await world.state('bridge', 'off')
    seen.push(world.ha.state(id('x')))
    expect(seen).toEqual(expected)
  })

  it('expire when nothing comes for long enough', async () => {
    await world.announced()
    expect(world.ha.state(id('temperature'))).toBe('unavailable')
    await world.pi.say('state', { temperature: 21, imu: { mag_x: 1 } })
    await world.state('temperature', '21')
    world.clock.pass(34)
    expect(world.ha.state(id('temperature'))).toBe('21')
    await world.pi.say('state', { temperature: 22, imu: { mag_x: 1 } })
    await world.state('temperature', '22')
    world.clock.pass(34)
    expect(world.ha.state(id('temperature'))).toBe('22')
    world.clock.pass(1)
    expect(world.ha.state(id('temperature'))).toBe('unavailable')
    expect(world.ha.state(id('mag_x'))).toBe('1')
  })

  /** Fields of a sensor, what comes, its state then, and what the log says. */
  const SENSORS: readonly (readonly [what: string, fields: Loose, payload: string, state: string, log: string])[] = [
    ['a number', { state_class: 'measurement' }, '{"x":1.5}', '1.5', ''],
    ['null', {}, '{"x":null}', 'unknown', ''],
    [
      'a text in a number',
      { unit_of_measurement: 'g' },
      '{"x":"much"}',
      'unknown',
      'ERROR Exception raised while updating',
    ],
    ['a key that is missing', {}, '{"y":1}', 'unknown', 'WARNING Template variable warning'],
    ['no JSON', {}, 'x', 'unknown', 'ERROR Template error'],
    ['an unknown template', { value_template: '{{ now() }}' }, '{"x":1}', 'unknown', 'FAKE a template'],
    ['a time', { device_class: 'timestamp' }, '{"x":"2026-11-20T07:02:00+01:00"}', '2026-11-20T06:02:00+00:00', ''],
    [
      'a time without offset',
      { device_class: 'timestamp' },
      '{"x":"2026-11-20T06:02:00"}',
      'unknown',
      'ERROR Exception raised',
    ],
    ['no time', { device_class: 'timestamp' }, '{"x":1795154520}', 'unknown', 'WARNING Invalid state message'],
    ['an option', { device_class: 'enum', options: ['a'] }, '{"x":"a"}', 'a', ''],
    ['no option', { device_class: 'enum', options: ['a'] }, '{"x":"b"}', 'unknown', 'WARNING Invalid value for'],
    ['256 letters', {}, `{"x":"${'x'.repeat(256)}"}`, 'unknown', 'ERROR Cannot update state'],
  ]

  it('of a sensor', async () => {
    const sensor = (key: string, fields: Loose) => [
      key,
      { platform: 'sensor', unique_id: id(key), state_topic: `sensehat/pi-a/${key}`, ...fields },
    ]
    const document = small('marker', { platform: 'sensor', state_topic: 'sensehat/pi-a/marker' })
    const value_template = '{{ value_json.x }}'
    const sensors = SENSORS.map(([, fields], at) => sensor(`x${at}`, { value_template, ...fields }))
    Object.assign(document.components, Object.fromEntries(sensors))
    await world.announced(document)
    const seen: unknown[] = []
    for (const [at, [what, , payload, , log]] of SENSORS.entries()) {
      const known = world.problems().length
      await world.pi.say(`x${at}`, payload)
      // What is heard after it.
      await world.pi.say('marker', `${at}`)
      await world.state('marker', `${at}`)
      const problems = world.problems().slice(known)
      seen.push([what, world.ha.state(id(`x${at}`)), problems.map((line) => line.slice(0, log.length))])
    }
    expect(seen).toEqual(SENSORS.map(([what, , , state, log]) => [what, state, log === '' ? [] : [log]]))
  })

  it('keep the last value when a message says nothing', async () => {
    await world.announced(small('x', { platform: 'sensor', state_topic: 'sensehat/pi-a/x', unit_of_measurement: 'g' }))
    await world.pi.say('x', '3')
    await world.state('x', '3')
    await world.pi.say('x', '')
    await world.logged('Ignore empty state')
    expect(world.ha.state(id('x'))).toBe('3')
  })

  it('of everything else', async () => {
    await world.announced()
    await world.pi.say('info', { booted_at: null, problems: ['imu'] }, true)
    await world.pi.say('settings', { interval_s: 10, rotation: 90, paused: true }, true)
    await world.pi.say('update', { installed_version: '1.2.3', latest_version: '1.2.4' }, true)
    await world.state('problem', 'on')
    expect(world.ha.attributes(id('problem'))).toEqual({ problems: ['imu'] })
    await world.state('interval', '10')
    await world.state('rotation', '90')
    await world.state('paused', 'on')
    await world.state('update', 'on')
    await world.pi.say('led', {
      state: 'ON',
      color_mode: 'rgb',
      color: { r: 1, g: 2, b: 3 },
      brightness: 128,
      effect: 'off',
    })
    await world.state('led', 'on')
    expect(world.ha.attributes(id('led'))).toEqual({
      color_mode: 'rgb',
      rgb_color: [1, 2, 3],
      brightness: 128,
      effect: 'off',
    })
    expect(world.problems()).toEqual([])
    await world.pi.say('settings', { interval_s: 0, rotation: 45, paused: true })
    await world.logged('Invalid value for number.pi_a_interval')
    await world.logged('Invalid option for select.pi_a_rotation')
    expect(world.ha.state(id('interval'))).toBe('10')
    await world.pi.say('led', { state: 'ON', color_mode: 'rgb' })
    await world.logged('Invalid or incomplete color value')
  })

  it('of an event: when it was, and never of one that was kept', async () => {
    await world.pi.say('event/up', { event_type: 'press_start' }, true)
    await world.announced()
    await world.logged('Ignoring event trigger from replayed retained payload')
    expect(world.ha.state(id('joystick_up'))).toBe('unknown')
    await world.pi.say('event/up', { event_type: 'press_end', held_ms: 40 })
    await world.state('joystick_up', new Date(world.clock.now()).toISOString())
    expect(world.ha.attributes(id('joystick_up'))).toEqual({ event_type: 'press_end', held_ms: 40 })
    await world.pi.say('event/up', { event_type: 'double' })
    await world.logged('Invalid event type double')
  })
})
