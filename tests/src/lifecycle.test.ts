import { describe, expect, it } from 'vitest'
import { Lifecycle } from '../../src/lifecycle.ts'

describe('Lifecycle', () => {
  it('closes what was opened first last, one after the other', async () => {
    const life = new Lifecycle()
    const done: string[] = []
    for (const name of ['spool', 'link', 'lanes'])
      life.own(name, name, async (resource) => {
        done.push(`closing ${resource}`)
        await new Promise((resolve) => setImmediate(resolve))
        done.push(`closed ${resource}`)
      })
    expect(life.open).toEqual(['spool', 'link', 'lanes'])
    await life.close()
    expect(done).toEqual([
      'closing lanes',
      'closed lanes',
      'closing link',
      'closed link',
      'closing spool',
      'closed spool',
    ])
    expect(life.open).toEqual([])
  })

  it('closes everything even when some cannot, and says which', async () => {
    const life = new Lifecycle()
    const closed: string[] = []
    life.own('spool', 0, () => closed.push('spool'))
    life.own('link', 0, () => {
      throw new Error('thrown at once')
    })
    life.own('lanes', 0, () => closed.push('lanes'))
    life.own('http', 0, () => Promise.reject(new Error('rejected')))
    const error = await life.close().then(
      () => undefined,
      (e: unknown) => e as AggregateError,
    )
    expect(closed).toEqual(['lanes', 'spool'])
    expect(error).toBeInstanceOf(AggregateError)
    expect(error?.errors.map((e: Error) => e.message)).toEqual(['closing http', 'closing link'])
    expect(error?.errors[0]).toMatchObject({ cause: { message: 'rejected' } })
  })

  it('closes once, however often it is asked', async () => {
    const life = new Lifecycle()
    let times = 0
    life.own('spool', 0, () => times++)
    await Promise.all([life.close(), life.close()])
    await life.close()
    expect(times).toBe(1)
  })

  it('gives back what it owns', () => {
    const spool = {}
    expect(new Lifecycle().own('spool', spool, () => undefined)).toBe(spool)
  })
})
