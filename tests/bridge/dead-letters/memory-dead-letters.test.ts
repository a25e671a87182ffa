import { expect, it } from 'vitest'
import type { DeadLetter } from '../../../bridge/dead-letters/dead-letters.ts'
import { MemoryDeadLetters } from '../../../bridge/dead-letters/memory-dead-letters.ts'

const letter = (reason: string, bytes: number, code: DeadLetter['code'] = 'not_json'): DeadLetter => ({
  device: 'pi',
  topic: 'sensehat/pi/readings',
  code,
  reason,
  payload: Buffer.alloc(bytes),
  at: 0,
})

it('dead letters are kept newest first, and counted by their code at once', () => {
  const letters = new MemoryDeadLetters()
  void letters.add(letter('one', 10))
  void letters.add(letter('two', 10, 'seq_jump'))
  void letters.add(letter('three', 10))
  expect(letters.recent(2).map(({ reason }) => reason)).toEqual(['three', 'two'])
  expect([...letters.byCode]).toEqual([
    ['not_json', 2],
    ['seq_jump', 1],
  ])
})

it('of too many dead letters the oldest give way, and are still counted', () => {
  const letters = new MemoryDeadLetters()
  for (let i = 0; i < 100; i++) void letters.add(letter(String(i), 128 * 1024))
  const kept = letters.recent(1_000)
  expect(letters.total).toBe(100)
  expect(kept).toHaveLength(64)
  expect(kept[0]?.reason).toBe('99')
  expect(letters.dropped).toBe(36)
})
