import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Gate } from '../../src/gate.ts'
import { settled } from '../support/manual-clock.ts'

describe('Gate', () => {
  it('lets never more than its width through at once, and all in the order they came', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
        async (scheduler, width, failing) => {
          const gate = new Gate(width)
          const entered: number[] = []
          let inside = 0
          let most = 0
          const passes = failing.map((fails, i) =>
            gate
              .pass(async () => {
                entered.push(i)
                most = Math.max(most, ++inside)
                await scheduler.schedule(Promise.resolve(), `${i}`)
                inside--
                if (fails) throw new Error('failed inside')
                return i
              })
              .catch(() => -1),
          )
          await scheduler.waitFor(Promise.all(passes))
          expect(entered).toEqual(failing.map((_, i) => i))
          expect(most).toBe(Math.min(width, failing.length))
          expect(await Promise.all(passes)).toEqual(failing.map((fails, i) => (fails ? -1 : i)))
        },
      ),
    )
  })

  it('keeps its width for those who come later', async () => {
    const gate = new Gate(1)
    let inside = 0
    let most = 0
    const visit = () =>
      gate.pass(async () => {
        most = Math.max(most, ++inside)
        await settled()
        inside--
      })
    await Promise.all([visit(), visit(), visit()])
    await Promise.all([visit(), visit(), visit()])
    expect(most).toBe(1)
  })

  it('does not let a newcomer past those who wait', async () => {
    const gate = new Gate(1)
    const entered: string[] = []
    let leave = () => {}
    const first = gate.pass(
      () =>
        new Promise<void>((resolve) => {
          leave = resolve
        }),
    )
    const second = gate.pass(async () => entered.push('second'))
    await settled()
    leave()
    const third = gate.pass(async () => entered.push('third'))
    await Promise.all([first, second, third])
    expect(entered).toEqual(['second', 'third'])
  })
})
