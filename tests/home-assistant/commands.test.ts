import { beforeEach, describe, expect, it } from 'vitest'
import { Happenings } from '../support/happenings.ts'
import { goodEntities } from './documents.ts'
import { id, small, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.create()
})

describe('commands', () => {
  /** Does it, and gives what came on the topic, with what the broker keeps of it. */
  async function sent(rest: string, act: () => Promise<void>): Promise<string> {
    const before = world.broker.published.all.length
    const topic = `sensehat/pi-a/${rest}`
    await act()
    await world.broker.published.until((all) => all.slice(before).some(([name]) => name === topic))
    return world.broker.published.all.slice(before).find(([name]) => name === topic)?.[1] ?? ''
  }

  it('say what the document tells them to say', async () => {
    await world.announced()
    expect(await sent('set/identify', () => world.ha.press(id('identify')))).toBe('{"seconds":3}')
    expect(await sent('set/interval', () => world.ha.setNumber(id('interval'), 30))).toBe('{"interval_s": 30}')
    expect(await sent('set/rotation', () => world.ha.selectOption(id('rotation'), '180'))).toBe('180')
    expect(await sent('set/paused', () => world.ha.turnOn(id('paused')))).toBe('ON')
    expect(await sent('set/paused', () => world.ha.turnOff(id('paused')))).toBe('OFF')
    const said = await sent('set/message', () => world.ha.notify(id('message'), 'It’s "5 < 6"'))
    expect(said).toBe('{"text": "It\\u2019s \\"5 \\u003c 6\\""}')
    expect(JSON.parse(said)).toEqual({ text: 'It’s "5 < 6"' })
  })

  it('of a light say only what was asked for', async () => {
    await world.announced()
    const led = (act: () => Promise<void>) => sent('set/led', act).then((text) => JSON.parse(text))
    expect(await led(() => world.ha.turnOn(id('led')))).toEqual({ state: 'ON' })
    expect(await led(() => world.ha.turnOn(id('led'), { color: [255, 128, 0], brightness: 1 }))).toEqual({
      state: 'ON',
      color: { r: 255, g: 128, b: 0 },
      brightness: 1,
    })
    expect(await led(() => world.ha.turnOn(id('led'), { effect: 'rainbow', flash: 'long', transition: 2 }))).toEqual({
      state: 'ON',
      effect: 'rainbow',
      flash: 10,
    })
    expect(await led(() => world.ha.turnOff(id('led')))).toEqual({ state: 'OFF' })
    await expect(world.ha.turnOn(id('led'), { effect: 'disco' })).rejects.toThrow('no effect disco')
  })

  it('are believed only where no state will tell', async () => {
    await world.announced()
    await world.ha.setNumber(id('interval'), 30)
    await world.ha.setText(id('caption'), 'hello')
    expect([world.ha.state(id('interval')), world.ha.state(id('caption'))]).toEqual(['unknown', 'unknown'])
    await world.pi.announce('')
    const command_topic = 'sensehat/pi-a/set/x'
    await world.announced(small('x', { platform: 'text', command_topic }, { state_topic: undefined }))
    await world.state('x', 'unknown')
    await world.ha.setText(id('x'), 'hello')
    expect(world.ha.state(id('x'))).toBe('hello')
  })

  it('are kept by the broker only when the document says so', async () => {
    const document = goodEntities()
    document.components.identify.retain = true
    await world.announced(document)
    await world.ha.press(id('identify'))
    await world.ha.notify(id('message'), 'hello')
    await world.pi.say('set/last', 'kept', true)
    const kept = new Happenings<string>()
    const late = await world.newPi()
    late.client.on('message', (topic, _payload, { retain }) => retain && kept.note(topic))
    await late.client.subscribeAsync('sensehat/pi-a/set/+')
    await kept.count(2)
    expect(kept.all.sort()).toEqual(['sensehat/pi-a/set/identify', 'sensehat/pi-a/set/last'])
  })

  it('do not go to what is not there, and not out of range', async () => {
    await world.announced()
    await expect(world.ha.setNumber(id('interval'), 0)).rejects.toThrow('outside of 1 to 3600')
    await expect(world.ha.selectOption(id('rotation'), '45')).rejects.toThrow('no option')
    await expect(world.ha.press(id('temperature'))).rejects.toThrow('there is no button')
    await world.pi.say('availability', 'offline', true)
    await world.state('connectivity', 'off')
    await expect(world.ha.press(id('identify'))).rejects.toThrow('unavailable')
  })
})
