import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Commanded, Commands, type Thing } from '../../publisher/commands.ts'
import { Intervals } from '../../publisher/intervals.ts'
import { screenSettings } from '../../publisher/matrix/config.ts'
import { MemoryMatrix } from '../../publisher/matrix/memory-matrix.ts'
import { Screen } from '../../publisher/matrix/screen.ts'
import { silentLog } from '../../src/log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { publisherSections, topics } from './support.ts'

function world({ hasScreen = true, canRestart = true } = {}) {
  const clock = new ManualClock()
  const intervals = new Intervals({ interval: 1, state_interval: 10 })
  const settings = screenSettings(publisherSections('mqtt://nowhere').matrix)
  const screen = hasScreen ? new Screen(new MemoryMatrix(), settings, { clock, log: silentLog() }) : undefined
  const told: Thing[] = []
  let restarts = 0
  const commanded: Commanded = {
    screen,
    interval: (which, payload) => intervals.change(which, payload),
    restart: canRestart ? () => restarts++ : undefined,
  }
  const commands = new Commands('pi-a', topics, commanded, { log: silentLog(), onDone: (thing) => told.push(thing) })
  const send = (thing: string, payload: string, retain = false) =>
    commands.message({ topic: `sensehat/pi-a/set/${thing}`, payload: Buffer.from(payload), retain, duplicate: false })
  const everything = () => JSON.stringify([intervals.set, screen?.lightState, screen?.showing, restarts])
  return { commands, intervals, screen, send, told, everything, restarts: () => restarts }
}

describe('a command', () => {
  it('sets the intervals, in seconds', () => {
    const { intervals, send, told } = world()
    send('interval', '0.5')
    send('state_interval', '30')
    expect(intervals.current).toEqual({ interval: 0.5, state_interval: 30 })
    expect(told).toEqual(['interval', 'state_interval'])
  })

  it('lights the matrix, scrolls a text, shows which Pi this is', () => {
    const { screen, send } = world()
    send('led', '{"state":"ON","color":{"r":255,"g":0,"b":0},"brightness":90}')
    expect(screen?.lightState).toMatchObject({ on: true, brightness: 90, colour: { r: 255, g: 0, b: 0 } })
    expect(screen?.showing).toBe('light')
    send('message', '{"text":"Tea \\"now\\""}')
    expect(screen?.showing).toBe('message')
    send('identify', 'PRESS')
    expect(screen?.showing).toBe('identify')
  })

  it('may be a text as it is', () => {
    const { screen, send } = world()
    send('message', 'Tea')
    expect(screen?.showing).toBe('message')
  })

  it('restarts the program', () => {
    const { restarts, send } = world()
    send('restart', 'PRESS')
    expect(restarts()).toBe(1)
  })

  it.each([
    ['interval', ''],
    ['interval', '0'],
    ['interval', '-1'],
    ['interval', 'soon'],
    ['interval', '0.001'],
    ['interval', '1e9'],
    ['interval', 'NaN'],
    ['interval', '{"interval":5}'],
    ['state_interval', '0.5'],
    ['led', 'blue'],
    ['led', '{"state":"ON","brightness":0}'],
    ['led', '{"effect":"fire"}'],
    ['message', ''],
    ['message', '{"text":" "}'],
    ['message', '{"text":5}'],
    ['message', 'x'.repeat(251)],
    ['identify', ''],
    ['restart', 'please'],
    ['explode', 'PRESS'],
    ['constructor', 'PRESS'],
    ['__proto__', 'PRESS'],
    ['toString', ''],
    ['led/too/deep', 'ON'],
  ])('that is none (%s: %j) changes nothing', (thing, payload) => {
    const { everything, send } = world()
    const before = everything()
    expect(send(thing, payload)).toBe(true)
    expect(everything()).toBe(before)
  })

  it('of any kind never fails, and what is refused changes nothing', () => {
    const things = fc.constantFrom('led', 'message', 'interval', 'state_interval', 'identify', 'restart', 'other')
    fc.assert(
      fc.property(fc.array(fc.tuple(things, fc.oneof(fc.string(), fc.json(), fc.double().map(String)))), (sent) => {
        const { intervals, send } = world()
        for (const [thing, payload] of sent) expect(send(thing, payload)).toBe(true)
        expect(intervals.readingMs).toBeGreaterThanOrEqual(10)
        expect(intervals.stateMs).toBeGreaterThanOrEqual(intervals.readingMs)
      }),
    )
  })

  it('that was refused is answered too: by the state in force', () => {
    const { send, told } = world()
    send('interval', 'soon')
    expect(told).toEqual(['interval'])
  })

  it('that the broker has retained is not carried out: it would be at each start', () => {
    const { everything, send, told } = world()
    const before = everything()
    expect(send('restart', 'PRESS', true)).toBe(true)
    expect(everything()).toBe(before)
    expect(told).toEqual([])
  })

  it('for what is not there changes nothing', () => {
    const { everything, send } = world({ hasScreen: false, canRestart: false })
    const before = everything()
    for (const thing of ['led', 'message', 'identify', 'restart']) send(thing, thing === 'led' ? 'ON' : 'PRESS')
    expect(everything()).toBe(before)
  })

  it('is for this Pi alone', () => {
    const { commands } = world()
    const payload = Buffer.from('PRESS')
    for (const topic of ['sensehat/pi-b/set/restart', 'sensehat/pi-a/state', 'other/pi-a/set/restart'])
      expect(commands.message({ topic, payload, retain: false, duplicate: false })).toBe(false)
  })
})
