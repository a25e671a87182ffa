import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDuration } from '../../src/duration.ts'
import { didYouMean, nearest } from '../../src/nearest.ts'
import { randomId } from '../../src/random-id.ts'

describe('nearest', () => {
  it('finds the word that was most likely meant', () => {
    expect(nearest('ulr', ['url', 'username', 'port'])).toBe('url')
    expect(nearest('USERNAM', ['url', 'username'])).toBe('username')
    expect(didYouMean('ulr', ['url'])).toBe('did you mean url?')
  })

  it('guesses nothing when nothing is near', () => {
    expect(nearest('kubernetes', ['url', 'port'])).toBeUndefined()
    expect(nearest('x', [])).toBeUndefined()
  })
})

describe('a duration', () => {
  it.each([
    ['250ms', 250],
    ['20s', 20_000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['5', 5_000],
    [' 5s ', 5_000],
    ['0', 0],
  ])('%j is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', 's', '-1s', '1 s', '5sec', '1e3', 'Infinity', '1,5s', '0x10'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})

it('a random name has the length asked for and only [0-9a-z]', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 32 }), (length) => {
      expect(randomId(length)).toMatch(new RegExp(`^[0-9a-z]{${length}}$`))
    }),
  )
})
