import { expect, it } from 'vitest'
import type { DeviceLog } from '../../../bridge/spool/device-log.ts'
import { FactsGroup } from '../../../bridge/spool/facts-group.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'
import { Gate } from '../../../src/gate.ts'

function group(fails = false) {
  const writes: string[][] = []
  let finish: () => void = () => undefined
  const facts = new FactsGroup(new Gate(1), async (devices: readonly DeviceLog[]) => {
    writes.push(devices.map(({ hostname }) => hostname))
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    if (fails) throw new Error('the disk is full')
  })
  const spool = new MemorySpool(1e6)
  return { facts, writes, device: (name: string) => spool.device(name), finish: () => finish() }
}

it('changes that come while the disk is busy share the next write, each device once', async () => {
  const { device, facts, finish, writes } = group()
  const done: string[] = []
  const change = (name: string) => facts.add(() => [device(name)]).then(() => done.push(name))
  const all = ['a', 'b', 'c', 'b'].map(change)
  expect(writes).toEqual([['a']])
  finish()
  await all[0]
  expect(done).toEqual(['a'])
  await new Promise((resolve) => setImmediate(resolve))
  expect(writes).toEqual([['a'], ['b', 'c']])
  finish()
  await Promise.all(all)
  expect(done).toEqual(['a', 'b', 'c', 'b'])
})

it('a change is made when it is its turn, and nobody is told that it is durable when it is not', async () => {
  const { device, facts, finish } = group(true)
  const made: string[] = []
  const change = (name: string) =>
    facts.add(() => {
      made.push(name)
      return [device(name)]
    })
  const [first, second, third] = ['a', 'b', 'c'].map(change)
  expect(made).toEqual(['a'])
  finish()
  await expect(first).rejects.toThrow('the disk is full')
  await new Promise((resolve) => setImmediate(resolve))
  expect(made).toEqual(['a', 'b', 'c'])
  finish()
  await expect(second).rejects.toThrow('the disk is full')
  await expect(third).rejects.toThrow('the disk is full')
})
