import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/directory.ts'
import { patient } from '../support/eventually.ts'
import { describeWithMosquitto } from '../support/mosquitto-process.ts'
import type { Program } from '../support/program.ts'
import { expectNothingAmiss, Household, idOf } from './household.ts'

let house: Household
beforeEach(async () => {
  house = await Household.open()
})

async function start(env: Readonly<Record<string, string>> = {}): Promise<Program> {
  const program = house.publisher(env)
  await house.isThere()
  return program
}

/** Lines of the program's log about commands. */
function linesOf({ stderr, stdout }: Program, what: string): string[] {
  return `${stderr}\n${stdout}`.split('\n').filter((line) => line.includes(what))
}

const CARRIED_OUT = 'a command was carried out'
const NOT_CARRIED_OUT = 'a command is not carried out'

describeWithMosquitto('what is commanded in Home Assistant', () => {
  it('the intervals: readings and states come as often as was asked for, and Home Assistant shows what is in force', async () => {
    await start()
    const settings = house.listen('settings')
    await house.ha.setNumber(idOf('interval'), 0.1)
    await house.until('the new interval', () => Number(house.state('interval')) === 0.1)
    const readings = house.listen('readings')
    const began = performance.now()
    await readings.count(20)
    // Twenty at the old interval would take ten seconds.
    expect(performance.now() - began).toBeLessThan(patient(7_000))
    await house.ha.setNumber(idOf('state_interval'), 30)
    await house.until('the new state interval', () => Number(house.state('state_interval')) === 30)
    const inForce = JSON.stringify({ interval: 0.1, state_interval: 30 })
    await settings.until((all) => all.at(-1) === inForce)
    // No state can be newer than its reading.
    await house.ha.setNumber(idOf('interval'), 60)
    await house.until('both', () => Number(house.state('state_interval')) === 60)
    await house.until('its expiry', () => house.ha.entity(idOf('temperature'))?.fields.expire_after === 185)
    expectNothingAmiss(house)
  })

  it('an interval outlives the program where that has a directory, also when it is killed', async () => {
    const env = { SNOWHAT_PUBLISHER_OUTBOX_DIR: join(temporaryDirectory(), 'outbox') }
    const first = await start(env)
    await house.ha.setNumber(idOf('state_interval'), 20)
    await house.until('it is in force', () => Number(house.state('state_interval')) === 20)
    first.kill('SIGTERM')
    expect(await first.ended()).toMatchObject({ code: 0 })
    const settings = house.listen('settings')
    const second = await start(env)
    await settings.count(1)
    expect(JSON.parse(settings.all[0] ?? '')).toEqual({ interval: 0.5, state_interval: 20 })
    second.kill('SIGKILL')
    await second.ended()
    await start(env)
    await settings.count(2)
    expect(JSON.parse(settings.all[1] ?? '')).toEqual({ interval: 0.5, state_interval: 20 })
  })

  it('the light: on, a colour, an effect and off come back as states', async () => {
    await start()
    const led = idOf('led')
    await house.ha.turnOn(led, { color: [255, 0, 0], brightness: 90 })
    await house.until('it is on', () => house.state('led') === 'on')
    expect(house.ha.attributes(led)).toMatchObject({ brightness: 90, rgb_color: [255, 0, 0], effect: 'off' })
    await house.ha.turnOn(led, { effect: 'rainbow' })
    await house.until('its effect', () => house.ha.attributes(led).effect === 'rainbow')
    expect(house.state('led')).toBe('on')
    await house.ha.turnOff(led)
    await house.until('it is off', () => house.state('led') === 'off')
    const light = JSON.parse((await house.retained()).get('sensehat/pi-attic/led') ?? '') as object
    expect(light).toMatchObject({ state: 'OFF', effect: 'rainbow', brightness: 90 })
    expectNothingAmiss(house)
  })

  it('a message and the sign to find the Pi by', async () => {
    const program = await start()
    await house.ha.notify(idOf('message'), 'Tea "now"\nor never')
    await program.line(new RegExp(`message.*${CARRIED_OUT}|${CARRIED_OUT}.*message`))
    await house.ha.press(idOf('identify'))
    await program.line(new RegExp(`identify.*${CARRIED_OUT}|${CARRIED_OUT}.*identify`))
    expect(linesOf(program, NOT_CARRIED_OUT)).toEqual([])
    expectNothingAmiss(house)
  })

  it('a restart: a new stream in the same process, and no reading of the old one is lost', async () => {
    const env = { SNOWHAT_PUBLISHER_OUTBOX_DIR: join(temporaryDirectory(), 'outbox') }
    const program = await start(env)
    const [infos, readings] = [house.listen('info'), house.listen('readings')]
    await readings.count(2)
    const before = JSON.parse((await house.retained()).get('sensehat/pi-attic/info') ?? '') as { stream: string }
    await house.ha.press(idOf('restart'))
    const streams = () => infos.all.map((info) => (JSON.parse(info) as { stream: string }).stream)
    await infos.until(() => streams().some((stream) => stream !== before.stream))
    await program.line(/starting again/)
    const later = streams().at(-1)
    type Row = { stream: string; seq: number; after?: string }
    const rows = () => readings.all.flatMap((payload) => JSON.parse(payload) as Row | Row[])
    await readings.until(() => rows().some(({ stream, seq }) => stream === later && seq === 1))
    const first = rows().find(({ stream, seq }) => stream === later && seq === 1)
    // It names the last one before it, so that a missing one would be noticed.
    const last = Math.max(...rows().flatMap(({ stream, seq }) => (stream === before.stream ? [seq] : [])))
    expect(first?.after).toBe(`${before.stream}.${last}`)
    const info = JSON.parse(infos.all.at(-1) ?? '') as { outbox: { readings: number } }
    expect(info.outbox.readings).toBeGreaterThanOrEqual(last)
    await house.isThere()
    expectNothingAmiss(house)
  })

  it('what cannot be carried out changes nothing, is told in the log, and the state in force is told again', async () => {
    const program = await start()
    const bad = [
      ['led', '{"state":"MAYBE"}'],
      ['led', '{"color":{"r":300,"g":0,"b":0}}'],
      ['led', 'not JSON'],
      ['message', '{"text":7}'],
      ['message', ' '],
      ['interval', '0.001'],
      ['interval', 'often'],
      ['interval', ''],
      ['state_interval', '1e9'],
      ['identify', 'press'],
      ['restart', ''],
    ] as const
    const [led, settings] = [house.listen('led'), house.listen('settings')]
    const before = await house.retained()
    for (const [thing, payload] of bad) await house.command(thing, payload)
    await house.command('coffee', 'PRESS')
    await program.line(/there is no such command/)
    expect(linesOf(program, NOT_CARRIED_OUT).length).toBe(bad.length)
    expect(linesOf(program, CARRIED_OUT)).toEqual([])
    await Promise.all([led.count(3), settings.count(4)])
    const after = await house.retained()
    for (const topic of ['led', 'settings'])
      expect(after.get(`sensehat/pi-attic/${topic}`)).toBe(before.get(`sensehat/pi-attic/${topic}`))
    expectNothingAmiss(house)
  })

  it('what the broker has kept from before is not carried out: a Pi that comes back must not start to blink', async () => {
    await house.command('led', '{"state":"ON"}', true)
    await house.command('interval', '60', true)
    const program = await start()
    await program.line(/a retained command is not carried out/)
    await house.until('the light', () => house.state('led') === 'off')
    expect(Number(house.state('interval'))).toBe(0.5)
    expect(linesOf(program, 'a retained command is not carried out').length).toBe(2)
    expect(linesOf(program, CARRIED_OUT)).toEqual([])
    // And the same command, given now, is.
    await house.ha.turnOn(idOf('led'))
    await house.until('the light is on', () => house.state('led') === 'on')
  })
})
