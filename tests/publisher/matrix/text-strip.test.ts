import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WHITE } from '../../../publisher/matrix/colour.ts'
import { DARK } from '../../../publisher/matrix/frame.ts'
import { CHARACTERS, GLYPH_ROWS, glyphOf, REPLACEMENT } from '../../../publisher/matrix/glyphs.ts'
import {
  LONGEST_TEXT,
  scrollFrame,
  scrollSteps,
  type TextStrip,
  textStrip,
} from '../../../publisher/matrix/text-strip.ts'
import { drawing } from './support.ts'

const rows = Array.from({ length: GLYPH_ROWS }, (_, y) => y)
const picture = (strip: TextStrip) =>
  rows.map((y) => strip.map((column) => ((column >> y) & 1 ? '#' : '.')).join('')).join('\n')

describe('the font', () => {
  it('has printable ASCII, the signs of the readings and what German needs', () => {
    const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
    expect(new Set(CHARACTERS)).toEqual(new Set([...ascii, ...'°µ€ÄÖÜäöüß']))
  })

  it('has glyphs of at most five columns and eight rows, with ink at both sides of what is not space', () => {
    for (const character of CHARACTERS) {
      const glyph = glyphOf(character) ?? []
      expect(glyph.length, character).toBeGreaterThan(0)
      expect(glyph.length, character).toBeLessThanOrEqual(5)
      expect(Math.max(...glyph), character).toBeLessThan(1 << GLYPH_ROWS)
      if (character !== ' ') expect([glyph[0], glyph.at(-1)], character).not.toContain(0)
    }
  })

  it('has no two glyphs alike, and none like the replacement', () => {
    const pictures = [...CHARACTERS.map((character) => glyphOf(character) ?? []), REPLACEMENT].map(picture)
    expect(new Set(pictures).size).toBe(CHARACTERS.length + 1)
  })

  it('can be read', () => {
    expect(`\n${picture(textStrip('21.5 °C'))}`).toBe(GOLDEN_TEMPERATURE)
    expect(`\n${picture(textStrip('Größe Jg!'))}`).toBe(GOLDEN_WORDS)
  })
})

const GOLDEN_TEMPERATURE = `
.###...#.....#####......#...###.
#...#.##.....#.........#.#.#...#
....#..#.....####.......#..#....
...#...#.........#.........#....
..#....#.........#.........#....
.#.....#..##.#...#.........#...#
#####.###.##..###...........###.
................................`

const GOLDEN_WORDS = `
.###........#.#...##..............###.......#
#...#............#..#..............#........#
#.....#.##..###..#..#..###.........#...####.#
#.###.##...#...#.#.#..#...#........#..#...#.#
#...#.#....#...#.#..#.#####........#..#...#.#
#...#.#....#...#.#..#.#.........#..#...####..
.####.#.....###..#.#...###.......##.......#.#
.......................................###...`

describe('a text', () => {
  const same = (one: string, other: string) => expect(picture(textStrip(one))).toBe(picture(textStrip(other)))

  it('has one dark column between two glyphs and none around', () => {
    expect(picture(textStrip('!.')).split('\n')).toEqual([
      '#...',
      '#...',
      '#...',
      '#...',
      '#...',
      '..##',
      '#.##',
      '....',
    ])
  })

  it('is tidied: white space of any kind is one space, and none is at the ends', () => {
    same(' a \n\t b\u00a0', 'a b')
    expect(textStrip(' \n ')).toEqual([])
    expect(textStrip('')).toEqual([])
  })

  it('may be written as keyboards and editors do', () => {
    same('„it’s” – 1…2 −3', '"it\'s" - 1...2 -3')
    same('a\u0308O\u0308', 'äÖ')
    same('3 μm', '3 µm')
    same('m²', 'm2')
  })

  it('is shown without accents the font does not have, but with those it has', () => {
    same('Café, São, Ñ', 'Cafe, Sao, N')
    expect(picture(textStrip('ä'))).not.toBe(picture(textStrip('a')))
  })

  it('has the replacement glyph once for each other sign, however many code points it has', () => {
    expect(textStrip('☃')).toEqual(REPLACEMENT)
    expect(textStrip('👩\u200d👩\u200d👧')).toEqual(REPLACEMENT)
    expect(textStrip('\u0007')).toEqual(REPLACEMENT)
  })

  it('is cut when it is too long', () => {
    same('x'.repeat(10_000), 'x'.repeat(LONGEST_TEXT))
  })

  it('of any kind gives a strip', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) =>
        textStrip(text).every((column) => Number.isInteger(column) && column >= 0 && column < 256),
      ),
    )
  })
})

describe('scrolling', () => {
  const strip = textStrip('Hi')
  const at = (step: number) => drawing(scrollFrame(strip, step, WHITE)).split('\n')

  it('comes in from the right', () => {
    expect(at(0)).toEqual([...Array.from({ length: 7 }, () => '.......#'), '........'])
  })

  it('shows the text as it is', () => {
    expect(at(7)).toEqual([
      '#...#.#.',
      '#...#...',
      '#...#.#.',
      '#####.#.',
      '#...#.#.',
      '#...#.#.',
      '#...#.#.',
      '........',
    ])
  })

  it('ends with the text having left, and not before', () => {
    expect(scrollFrame(strip, scrollSteps(strip) - 1, WHITE).equals(DARK)).toBe(false)
    expect(scrollFrame(strip, scrollSteps(strip), WHITE).equals(DARK)).toBe(true)
  })

  it('moves each picture by one column to the left', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.nat(60), (text, step) => {
        const columns = textStrip(text)
        const [before, after] = [step, step + 1].map((n) => drawing(scrollFrame(columns, n, WHITE)).split('\n'))
        expect(after?.map((row) => row.slice(0, 7))).toEqual(before?.map((row) => row.slice(1)))
      }),
      { numRuns: 50 },
    )
  })
})
