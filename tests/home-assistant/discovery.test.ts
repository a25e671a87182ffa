import { beforeEach, describe, expect, it } from 'vitest'
import { goodEntities, TOPIC } from './documents.ts'
import { id, small, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.create()
})

describe('discovery', () => {
  it('makes one device with all its entities, and has nothing to say of it', async () => {
    await world.announced()
    const [device, ...others] = world.ha.devices()
    expect(others).toEqual([])
    expect(device).toMatchObject({
      identifiers: ['sensehat_pi-a'],
      connections: ['mac 02:00:00:00:00:0a'],
      details: { name: 'Sense HAT pi-a', manufacturer: 'Raspberry Pi' },
    })
    expect(device?.entities).toHaveLength(Object.keys(goodEntities().components).length - 1)
    expect(world.ha.entity(id('temperature'))).toMatchObject({
      platform: 'sensor',
      entityId: 'sensor.pi_a_temperature',
    })
    expect(world.problems()).toEqual([])
    expect(world.ha.findings()).toEqual(new Map([[TOPIC, []]]))
  })

  it('copies the shared options, and keeps of them what the platform knows', async () => {
    await world.announced()
    const { fields } = world.ha.entity(id('temperature')) ?? {}
    expect(fields).toMatchObject({ state_topic: 'sensehat/pi-a/state', qos: 1, availability_mode: 'all' })
    expect(world.ha.entity(id('identify'))?.fields).not.toHaveProperty('state_topic')
    expect(world.ha.entity(id('connectivity'))?.fields.availability).toEqual([])
  })

  it('hears a document that was there before it', async () => {
    await world.announced()
    await world.ha.crash()
    world.ha = await world.newHomeAssistant({ settleMs: 100 })
    expect(world.ha.announcements()).toMatchObject([{ topic: TOPIC, isReplay: true }])
    await world.state('connectivity', 'on')
  })

  it('joins documents by a common identifier, and makes up a parent nobody has announced', async () => {
    await world.announced()
    const other = small('lag', { platform: 'sensor' }, {})
    other.components = { lag: other.components.lag }
    other.device = { identifiers: ['sensehat_pi-a'], name: 'Sense HAT pi-a', via_device: 'sensehat_bridge' }
    await world.pi.announce(other, 'homeassistant/device/pi-a/sensehat_pipeline/config')
    await world.state('lag', 'unknown')
    expect(world.ha.devices()).toMatchObject([
      { details: { name: 'Sense HAT pi-a' }, viaIdentifiers: ['sensehat_bridge'] },
      { identifiers: ['sensehat_bridge'], details: {}, entities: [] },
    ])
  })

  it('keeps entities disabled that came so, until the user enables them', async () => {
    await world.announced()
    await world.pi.say('state', { temperature: 20, compass: 7, imu: { mag_x: 1 } })
    await world.state('temperature', '20')
    expect(world.ha.state(id('compass'))).toBeUndefined()
    world.ha.enable(id('compass'))
    await world.state('compass', 'unavailable')
    await world.state('compass', 'unknown')
    await world.pi.say('state', { temperature: 20, compass: 8, imu: { mag_x: 1 } })
    await world.state('compass', '8')
  })

  it('refuses a document for one unknown root key, and all of it', async () => {
    await world.pi.announce({ ...goodEntities(), '~': 'sensehat/pi-a' })
    await world.logged('Invalid MQTT device discovery payload')
    expect(world.ha.entities()).toEqual([])
    await world.pi.announce('{')
    await world.logged('Unable to parse JSON')
  })

  it('leaves out the component that is wrong, and takes the others', async () => {
    const document = goodEntities()
    document.components.temperature.device_class = 'warmth'
    await world.announced(document)
    expect(world.ha.entity(id('temperature'))).toBeUndefined()
    expect(world.problems()).toEqual([
      expect.stringMatching(/^ERROR Error '.*warmth.*when processing MQTT discovery message/),
    ])
  })

  it('warns of a topic nobody may announce on', async () => {
    await world.pi.announce(goodEntities(), 'homeassistant/device/pi.a/sensehat/config')
    await world.logged('illegal discovery topic')
    expect(world.ha.entities()).toEqual([])
  })

  it('says so when it meets what it does not know', async () => {
    await world.pi.announce(
      small('shortcut', {
        platform: 'device_automation',
        automation_type: 'trigger',
        type: 'a',
        subtype: 'b',
        topic: 'c',
      }),
    )
    await world.logged('the fake has no device_automation')
    await world.pi.announce({ name: 'x' }, 'homeassistant/sensor/somebody/else/config')
    await world.logged('a document of one component')
    expect(world.ha.problems().map(({ level }) => level)).toEqual(['FAKE', 'FAKE'])
  })
})

describe('another version of a document', () => {
  it('says nothing when nothing has changed', async () => {
    await world.announced()
    await world.pi.announce(goodEntities())
    await world.ha.until('it is there twice', () => world.ha.announcements().length === 2)
    expect(world.ha.log.some(({ message }) => message.startsWith('Updating component'))).toBe(false)
  })

  it('changes the entity in place: what it knows stays, and its id', async () => {
    await world.announced()
    await world.pi.say('state', { temperature: 20.5, imu: { mag_x: 1 } })
    await world.state('temperature', '20.5')
    const document = goodEntities()
    Object.assign(document.components.temperature, { name: 'Warmth', default_entity_id: 'sensor.warmth' })
    document.device.sw_version = '1.2.4'
    await world.pi.announce(document)
    await world.ha.until('it is updated', () => world.ha.entity(id('temperature'))?.fields.name === 'Warmth')
    expect(world.ha.entity(id('temperature'))).toMatchObject({ state: '20.5', entityId: 'sensor.pi_a_temperature' })
    expect(world.ha.devices()[0]?.details.sw_version).toBe('1.2.4')
  })

  it('listens to a changed topic', async () => {
    await world.pi.say('elsewhere', { temperature: 4 }, true)
    await world.announced()
    const document = goodEntities()
    document.components.temperature.state_topic = 'sensehat/pi-a/elsewhere'
    await world.pi.announce(document)
    await world.state('temperature', '4')
    await world.pi.say('state', { temperature: 99, imu: { mag_x: 1 } })
    await world.state('mag_x', '1')
    expect(world.ha.state(id('temperature'))).toBe('4')
  })

  it('keeps the old one of a component that is wrong now', async () => {
    await world.announced()
    const document = goodEntities()
    document.components.temperature.unit_of_measurement = 'hPa'
    await world.pi.announce(document)
    await world.logged('hPa is no unit of temperature')
    expect(world.ha.entity(id('temperature'))?.fields.unit_of_measurement).toBe('°C')
  })

  it('does not remove what it leaves out, but what it says only the platform of', async () => {
    await world.announced()
    const document = goodEntities()
    delete document.components.mag_x
    document.components.temperature = { platform: 'sensor' }
    await world.pi.announce(document)
    await world.ha.until('it is gone', () => world.ha.entity(id('temperature')) === undefined)
    expect(world.ha.state(id('mag_x'))).toBe('unknown')
    expect(world.problems()).toEqual([])
  })

  it('removes all with an empty payload, the device too, and wonders about a second one', async () => {
    await world.announced()
    await world.pi.announce('')
    await world.ha.until('the device is gone', () => world.ha.devices().length === 0)
    expect(world.ha.entities()).toEqual([])
    expect(world.problems()).toEqual([])
    await world.pi.announce('')
    await world.logged('No device components to cleanup')
  })

  it('ignores an id that is taken, until it is free', async () => {
    await world.announced()
    const topic = 'homeassistant/device/pi-b/sensehat/config'
    await world.pi.announce(small('temperature', { platform: 'sensor' }), topic)
    await world.logged('does not generate unique IDs')
    expect(world.ha.duplicates()).toEqual([
      { platform: 'binary_sensor', uniqueId: id('connectivity'), topic },
      { platform: 'sensor', uniqueId: id('temperature'), topic },
    ])
    await world.pi.announce('')
    await world.pi.announce(small('temperature', { platform: 'sensor' }), topic)
    await world.state('temperature', 'unknown')
  })

  it('is not changed from another topic', async () => {
    const document = goodEntities()
    const { temperature } = document.components
    await world.pi.announce(document, 'homeassistant/device/pi-a/config')
    await world.pi.announce({ ...temperature, device: document.device }, 'homeassistant/sensor/pi-a/temperature/config')
    await world.logged('conflicting MQTT discovery message')
  })
})
