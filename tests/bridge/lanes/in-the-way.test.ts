import { describe, expect, it } from 'vitest'
import { inTheWay } from '../../../bridge/lanes/in-the-way.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'

const MINUTE = 60_000

describe('a device that cannot be delivered', () => {
  const spool = new MemorySpool(1_000_000)
  const lane = (hostname: string, undeliverableSince?: number, waiting = 1) => {
    const device = spool.device(hostname)
    for (let seq = device.waiting; seq < waiting; seq++)
      void spool.append([
        { device, rows: [{ stream: 'aaaaaaaa', seq: seq + 1, json: Buffer.from('{}'), receivedAt: 0, arrived: 0 }] },
      ])
    return { device, undeliverableSince }
  }
  const names = (...args: Parameters<typeof inTheWay>) => inTheWay(...args).map(({ hostname }) => hostname)

  it('is moved aside after ten minutes, while others can be delivered', () => {
    const lanes = [lane('stuck', MINUTE), lane('well')]
    expect(names(lanes, false, 10 * MINUTE)).toEqual([])
    expect(names(lanes, false, 11 * MINUTE)).toEqual(['stuck'])
  })

  it('is moved aside at once when the others wait for the room its rows take', () => {
    expect(names([lane('stuck', MINUTE), lane('well')], true, MINUTE + 1)).toEqual(['stuck'])
  })

  it('stays where it is when no other can be delivered either: it is not the device then', () => {
    expect(names([lane('stuck', 0), lane('stuck-too', 0)], true, 60 * MINUTE)).toEqual([])
  })

  it('is moved aside once, and not without rows', () => {
    const aside = lane('aside', 0)
    aside.device.aside = true
    expect(names([aside, lane('empty', 0, 0), lane('well')], true, 60 * MINUTE)).toEqual([])
  })
})
