import { describe, expect, it } from 'vitest'
import { inTheWay } from '../../../bridge/lanes/in-the-way.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'

const MINUTE = 60_000

describe('a device that cannot be delivered', () => {
  const spool = new MemorySpool(1_000_000)
  const lane = (
    hostname: string,
    untakenSince: number | undefined,
    { waiting = 1, takenAt = undefined as number | undefined } = {},
  ) => {
    const device = spool.device(hostname)
    for (let seq = device.waiting; seq < waiting; seq++)
      void spool.append([
        { device, rows: [{ stream: 'aaaaaaaa', seq: seq + 1, json: Buffer.from('{}'), receivedAt: 0, arrived: 0 }] },
      ])
    return { device, untakenSince, takenAt }
  }
  const names = (...args: Parameters<typeof inTheWay>) => inTheWay(...args).map(({ hostname }) => hostname)

  it('is moved aside after ten minutes, while others can be delivered', () => {
    const lanes = (now: number) => [lane('stuck', MINUTE), lane('well', now - 100, { takenAt: now - 100 })]
    expect(names(lanes(10 * MINUTE), false, 10 * MINUTE)).toEqual([])
    expect(names(lanes(11 * MINUTE), false, 11 * MINUTE)).toEqual(['stuck'])
  })

  it('is moved aside sooner when the others wait for the room its rows take', () => {
    const lanes = [lane('stuck', MINUTE), lane('well', 3 * MINUTE, { takenAt: 3 * MINUTE })]
    expect(names(lanes, true, 2 * MINUTE)).toEqual([])
    expect(names(lanes, true, 3 * MINUTE)).toEqual(['stuck'])
  })

  it('stays where it is when none is delivered: it is not the device then, nor is one without rows a sign that all is well', () => {
    const lanes = [
      lane('stuck', 0),
      lane('stuck-too', 0, { takenAt: 50 * MINUTE }),
      lane('empty', undefined, { waiting: 0 }),
    ]
    expect(names(lanes, true, 60 * MINUTE)).toEqual([])
  })

  it('is moved aside once, and not without rows', () => {
    const aside = lane('aside', 0)
    aside.device.aside = true
    const well = lane('well', undefined, { takenAt: 60 * MINUTE })
    expect(names([aside, lane('none', 0, { waiting: 0 }), well], true, 60 * MINUTE)).toEqual([])
  })
})
