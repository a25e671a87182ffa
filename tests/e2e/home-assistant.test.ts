import type { Packet } from 'mqtt-packet'
import { expect, it, onTestFinished } from 'vitest'
import { StoppedClock } from '../home-assistant/world.ts'
import { fastClock } from '../support/fast-clock.ts'
import { Happenings } from '../support/happenings.ts'
import { describeWithMosquitto } from '../support/mosquitto-process.ts'
import { openPacketTap } from '../support/packet-tap.ts'
import { DOCUMENT, expectNothingAmiss, Household, idOf, PI, RETAINED } from './household.ts'

const AVAILABILITY = `sensehat/${PI}/availability`
/** What a minute is shortened to where nothing but time has to pass. */
const TIMES_FASTER = 10

describeWithMosquitto('a Pi in Home Assistant', () => {
  it('appears by itself: one device, all its entities, their values as they were measured', async () => {
    const house = await Household.open()
    house.publisher()
    await house.isThere()
    expectNothingAmiss(house)
    expect(house.ha.devices()[0]?.details).toMatchObject({ name: `Sense HAT ${PI}` })
    expect(house.ha.devices()[0]?.identifiers).toEqual([`sensehat_${PI}`])
    const states = house.listen('state')
    await states.count(1)
    const { temperature, pressure } = JSON.parse(states.all[0] ?? '') as Record<string, number>
    await house.until('these values', () => Number(house.state('temperature')) === temperature)
    expect(Number(house.state('pressure'))).toBeCloseTo(pressure ?? Number.NaN, 0)
  })

  it('B1, B2: connects with a retained Will, then says online, its document and its states, all retained', async () => {
    const house = await Household.open()
    const tap = await openPacketTap(house.broker.url, onTestFinished)
    house.publisher({}, tap.url)
    await house.isThere()
    await tap.packets.until((all) => {
      const topics = all.map(({ from, packet }) => (from === 'client' && packet.cmd === 'publish' ? packet.topic : ''))
      return RETAINED.every((topic) => topics.includes(topic))
    })
    const sent = tap.packets.all.filter(({ from }) => from === 'client').map(({ packet }) => packet)
    expect(sent[0]).toMatchObject({ cmd: 'connect', will: { topic: AVAILABILITY, qos: 1, retain: true } })
    expect(sent[0]?.cmd === 'connect' && sent[0].will?.payload.toString()).toBe('offline')
    const published = sent.flatMap((packet) => (packet.cmd === 'publish' ? [packet] : []))
    const own = published.filter(({ topic }) => RETAINED.includes(topic))
    expect(own.slice(0, 2).map(({ topic }) => topic)).toEqual([AVAILABILITY, DOCUMENT])
    expect(own[0]?.payload.toString()).toBe('online')
    for (const { qos, retain } of own) expect([qos, retain]).toEqual([1, true])
    for (const { topic, qos, retain } of published)
      if (/\/(state|readings)$/.test(topic)) expect([qos, retain], topic).toEqual([1, false])
  })

  it('B3: is unavailable when its line is cut, and there again when it is back', async () => {
    const house = await Household.open()
    const tap = await openPacketTap(house.broker.url, onTestFinished)
    house.publisher({}, tap.url)
    await house.isThere()
    const words = house.listen('availability')
    tap.cut()
    await words.until((all) => all.at(-1) === 'online')
    // Its own word brings it back, and before that the broker's.
    expect(words.all.slice(0, 2)).toEqual(['offline', 'online'])
    await house.isThere()
    expectNothingAmiss(house)
  })

  it('B7: has its last word, offline, acknowledged before it disconnects', async () => {
    const house = await Household.open()
    const tap = await openPacketTap(house.broker.url, onTestFinished)
    const publisher = house.publisher({}, tap.url)
    await house.isThere()
    publisher.kill('SIGTERM')
    expect(await publisher.ended()).toMatchObject({ code: 0 })
    const packets = tap.packets.all.map(({ packet }) => packet)
    const said = packets.findLastIndex((packet) => packet.cmd === 'publish' && packet.topic === AVAILABILITY)
    // The broker brings it back to who has said it.
    const word = packets.slice(0, said + 1).findLast((packet) => packet.cmd === 'publish' && packet.retain)
    expect(word).toMatchObject({ cmd: 'publish', topic: AVAILABILITY, qos: 1 })
    expect(word?.cmd === 'publish' && word.payload.toString()).toBe('offline')
    const acknowledged = packets.findLastIndex(
      ({ cmd, messageId }) => cmd === 'puback' && messageId === word?.messageId,
    )
    const disconnected = packets.findIndex(({ cmd }) => cmd === 'disconnect')
    expect(acknowledged).toBeGreaterThan(packets.lastIndexOf(word as Packet))
    expect(disconnected).toBeGreaterThan(acknowledged)
    await house.until('it is unavailable', () => house.state('temperature') === 'unavailable')
    expect(house.state('connectivity')).toBe('off')
  })

  it('is unavailable when its program is killed: the broker says its Will', async () => {
    const house = await Household.open()
    const publisher = house.publisher()
    await house.isThere()
    publisher.kill('SIGKILL')
    await house.until('all is unavailable', () =>
      house.enabled().every(({ state }) => state === 'unavailable' || state === 'off'),
    )
    expect(
      house
        .enabled()
        .filter(({ state }) => state === 'off')
        .map(({ uniqueId }) => uniqueId),
    ).toEqual([idOf('connectivity')])
  })

  it('is unavailable by expire_after when it dies while the broker loses its Will', async () => {
    const clock = new StoppedClock()
    const house = await Household.open({ clock })
    const publisher = house.publisher()
    await house.isThere()
    await house.broker.kill('SIGKILL')
    publisher.kill('SIGKILL')
    house.broker.wipe()
    await house.broker.start()
    await house.until('Home Assistant is back', () => house.state('temperature') !== 'unavailable')
    const expireAfter = Number(house.ha.entity(idOf('temperature'))?.fields.expire_after)
    expect(expireAfter).toBe(8)
    clock.pass(expireAfter - 1)
    expect(house.state('temperature')).not.toBe('unavailable')
    clock.pass(1)
    expect(house.state('temperature')).toBe('unavailable')
    expect(house.state('compass')).toBe('unavailable')
  })

  it('B10: readings and states are numbers, texts and nulls, and their times say their zone', async () => {
    const house = await Household.open()
    const [readings, states] = [house.listen('readings'), house.listen('state')]
    house.publisher({ SNOWHAT_PUBLISHER_BOARD: 'v2' })
    await Promise.all([readings.count(4), states.count(3)])
    for (const payload of [...readings.all, ...states.all]) {
      expect(payload).not.toMatch(/NaN|Infinity/)
      for (const one of [JSON.parse(payload)].flat() as Record<string, unknown>[]) {
        expect(one.datetimestamp).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/)
        for (const [key, value] of Object.entries(one))
          expect([null, 'string', 'number', 'boolean'], key).toContain(value === null ? null : typeof value)
      }
    }
    await house.isThere()
    expectNothingAmiss(house)
  })
})

describeWithMosquitto('after Home Assistant’s start', () => {
  it('B4: a Pi tells all it has told, once, between 1 and 30 s after the birth; the end of Home Assistant it does not answer', async () => {
    const clock = fastClock(TIMES_FASTER)
    const house = await Household.open({ clock })
    await house.publisherIn(clock, { state_interval: 3600 })
    await house.isThere()
    await clock.sleep(15_000)
    const from = house.heard.all.length
    const own = () => house.heard.all.slice(from).filter(({ topic }) => RETAINED.includes(topic))
    await house.say('homeassistant/status', 'offline')
    await clock.sleep(31_000)
    // Once a minute it may say its counts, which is no answer.
    expect(own().filter(({ topic }) => !topic.endsWith('/info'))).toEqual([])
    const bornAt = clock.monotonic()
    await house.say('homeassistant/status', 'online')
    await clock.sleep(4_000)
    await house.say('homeassistant/status', 'online')
    await house.heard.until(() => own().some(({ topic }) => topic === DOCUMENT))
    const waited = clock.monotonic() - bornAt
    expect(waited).toBeGreaterThanOrEqual(1_000)
    expect(waited).toBeLessThan(31_000)
    await clock.sleep(34_000)
    const topics = own().map(({ topic }) => topic)
    expect(new Set(topics)).toEqual(new Set(RETAINED))
    expect(topics.filter((topic) => topic === DOCUMENT).length).toBe(1)
    expectNothingAmiss(house)
  })

  it('B5: what an earlier release had announced and is no more is gone, and stays so', async () => {
    const house = await Household.open({ started: false })
    const barometer = { platform: 'sensor', unique_id: idOf('barometer'), name: 'Barometer', state_topic: 'a/b' }
    const old = {
      device: { identifiers: [`sensehat_${PI}`], name: 'Old' },
      origin: { name: 'snowhat' },
      components: { barometer },
    }
    await house.say(DOCUMENT, JSON.stringify(old), true)
    await house.ha.start()
    await house.until('the old entity', () => house.state('barometer') !== undefined)
    house.publisher()
    await house.isThere()
    await house.until('it is gone', () => house.state('barometer') === undefined)
    await house.ha.restart()
    await house.isThere()
    expect(house.state('barometer')).toBeUndefined()
    expectNothingAmiss(house)
  })

  it('B6: deleted in Home Assistant a Pi stays deleted while its program runs, and comes back when that is restarted', async () => {
    const clock = fastClock(TIMES_FASTER)
    const house = await Household.open({ clock })
    const publisher = await house.publisherIn(clock, { state_interval: 1 })
    await house.isThere()
    const connections = new Happenings<'connected'>()
    publisher.events.on('broker:connected', () => connections.note('connected'))
    await house.ha.deleteDevice(`sensehat_${PI}`)
    await house.ha.restart()
    await house.broker.kill('SIGTERM')
    await house.broker.start()
    await connections.count(1)
    // It has to hear the birth.
    await clock.sleep(5_000)
    await house.say('homeassistant/status', 'online')
    // Longer than it would take to answer, and than any time between two versions.
    await clock.sleep(40_000)
    expect(house.ha.announcements().filter(({ payload }) => payload !== '').length).toBe(1)
    expect(house.ha.devices()).toEqual([])
    await publisher.close()
    await house.publisherIn(clock, { state_interval: 1 })
    await house.isThere()
    expectNothingAmiss(house)
  })

  it('B11: two versions of its document are at least five seconds apart, and the last has the last word', async () => {
    const clock = fastClock(TIMES_FASTER)
    const house = await Household.open({ clock })
    await house.publisherIn(clock, { state_interval: 10 })
    await house.isThere()
    const expireAfter = () => house.ha.entity(idOf('temperature'))?.fields.expire_after
    for (const seconds of [20, 30, 40]) {
      await house.command('state_interval', String(seconds))
      await clock.sleep(2_000)
    }
    await house.until('the last interval', () => expireAfter() === 125)
    await house.command('state_interval', '50')
    await house.until('another one', () => expireAfter() === 155)
    const versions = house.ha.announcements().filter(({ isReplay }) => !isReplay)
    const gaps = versions.slice(1).map(({ at }, i) => at - (versions[i]?.at ?? 0))
    expect(gaps.length).toBeGreaterThanOrEqual(2)
    // What the broker adds to one and not to the other counts ten times here.
    for (const gap of gaps) expect(gap).toBeGreaterThan(4_500)
    expectNothingAmiss(house)
  })

  it('an interval that is raised leaves no entity unavailable: none expires by the old one', async () => {
    const clock = fastClock(TIMES_FASTER)
    const house = await Household.open({ clock })
    await house.publisherIn(clock, { reading_interval: 0.5, state_interval: 1 })
    await house.isThere()
    const seen = new Set<string>()
    await house.ha.setNumber(idOf('state_interval'), 600)
    for (let second = 0; second < 40; second++) {
      seen.add(house.state('temperature') === 'unavailable' ? 'unavailable' : 'there')
      await clock.sleep(1_000)
    }
    expect(house.ha.entity(idOf('temperature'))?.fields.expire_after).toBe(1_805)
    expect([...seen]).toEqual(['there'])
  })
})
