import { beforeEach, describe, expect, it } from 'vitest'
import { Happenings } from '../support/happenings.ts'
import { goodEntities, TOPIC } from './documents.ts'
import { id, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.create()
})

/** What Home Assistant says of itself, in order, as soon as there is so much. */
async function births(count: number): Promise<readonly string[]> {
  const said = (all: readonly (readonly [string, string])[]) =>
    all.filter(([topic]) => topic === 'homeassistant/status')
  await world.broker.published.until((all) => said(all).length >= count)
  return said(world.broker.published.all).map(([, payload]) => payload)
}

describe('its life', () => {
  it('tells of itself when all is settled, when it stops and when it dies', async () => {
    await world.ha.restart()
    expect(await births(3)).toEqual(['online', 'offline', 'online'])
    const heard = new Happenings<string>()
    world.pi.client.on('message', (_topic, payload, { retain, qos }) => heard.note(`${payload} ${retain} ${qos}`))
    await world.pi.client.subscribeAsync('homeassistant/status', { qos: 1 })
    await world.ha.crash()
    await heard.count(1)
    expect(heard.all).toEqual(['offline false 0'])
  })

  it('says nothing when the user has turned that off', async () => {
    const quiet = await world.newHomeAssistant({ birth: null })
    await quiet.stop()
    await world.ha.stop()
    expect(await births(2)).toEqual(['online', 'offline'])
  })

  it('after a restart knows what the broker has kept, and nothing else', async () => {
    await world.announced()
    await world.pi.say('info', { booted_at: null, problems: [] }, true)
    await world.pi.say('state', { temperature: 21, imu: { mag_x: 3 } })
    await world.state('mag_x', '3')
    await world.state('problem', 'off')
    const before = world.ha.entities().map(({ entityId }) => entityId)
    await world.ha.restart()
    await world.state('problem', 'off')
    await world.state('mag_x', 'unknown')
    expect(world.ha.state(id('temperature'))).toBe('unavailable')
    expect(world.ha.entities().map(({ entityId }) => entityId)).toEqual(before)
    expect(world.ha.duplicates()).toEqual([])
    expect(world.problems()).toEqual([])
  })

  it('shows an entity nobody announces any more as unavailable, and a changed id as a second one', async () => {
    await world.announced()
    const document = goodEntities()
    document.components.temperature.unique_id = id('warmth')
    await world.pi.announce(document)
    await world.ha.until('it is there twice', () => world.ha.announcements().length === 2)
    expect(world.ha.entity(id('warmth'))).toBeUndefined()
    await world.ha.restart()
    await world.ha.until('the second one', () => world.ha.entity(id('warmth')) !== undefined)
    expect(world.ha.entity(id('warmth'))?.entityId).toBe('sensor.pi_a_temperature_2')
    expect(world.ha.entity(id('temperature'))).toMatchObject({ state: 'unavailable', attributes: { restored: true } })
  })

  it('shows everything as unavailable while it has no broker, and recovers by itself', async () => {
    await world.announced()
    await world.pi.say('state', { temperature: 21, imu: { mag_x: 3 } })
    await world.state('mag_x', '3')
    world.broker.cut()
    await world.state('connectivity', 'unavailable')
    expect(world.ha.state(id('mag_x'))).toBe('unavailable')
    world.pi = await world.newPi()
    await world.pi.say('availability', 'online', true)
    await world.state('connectivity', 'on')
    await world.state('mag_x', '3')
    expect(await births(3)).toEqual(['online', 'offline', 'online'])
    await world.ha.until('it hears the document again', () => world.ha.announcements().length === 2)
    expect(world.ha.announcements().map(({ isReplay }) => isReplay)).toEqual([false, true])
    expect(world.problems()).toEqual([])
  })

  it('survives a broker that comes back with nothing', async () => {
    await world.announced()
    await world.broker.stop()
    await world.state('connectivity', 'unavailable')
    await world.broker.start()
    await world.broker.published.until((all) => all.filter(([, said]) => said === 'online').length === 3)
    await world.state('connectivity', 'on')
    world.pi = await world.newPi()
    await world.announced()
    await world.pi.say('state', { temperature: 22, imu: { mag_x: 3 } })
    await world.state('temperature', '22')
    expect(world.problems()).toEqual([])
  })

  it('lets the user delete a device: its documents are gone from the broker, and come back when announced', async () => {
    await world.announced()
    await world.ha.deleteDevice('sensehat_pi-a')
    expect(world.ha.devices()).toEqual([])
    await world.broker.published.until((all) => all.some(([topic, payload]) => topic === TOPIC && payload === ''))
    expect(world.problems()).toEqual([])
    await world.ha.restart()
    expect(world.ha.devices()).toEqual([])
    await world.announced()
    expect(world.ha.devices()).toHaveLength(1)
  })

  it('knows the ghosts: documents of devices that are no more', async () => {
    await world.pi.announce(goodEntities())
    await world.state('connectivity', 'unknown')
    expect(world.ha.ghosts()).toEqual([TOPIC])
    await world.pi.say('availability', 'online', true)
    await world.state('connectivity', 'on')
    expect(world.ha.ghosts()).toEqual([])
  })

  it('listens on a prefix of the user’s', async () => {
    const other = await world.newHomeAssistant({ prefix: 'my/house' })
    await world.pi.announce(goodEntities(), 'my/house/device/pi-a/sensehat/config')
    await other.until('it is there', () => other.devices().length === 1)
    expect(world.ha.devices()).toEqual([])
    await world.broker.published.until((all) => all.some(([topic]) => topic === 'my/house/status'))
  })
})
