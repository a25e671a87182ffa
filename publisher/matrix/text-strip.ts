import { BLACK, type Rgb } from './colour.ts'
import { Frame, SIDE } from './frame.ts'
import { type Glyph, glyphOf, REPLACEMENT } from './glyphs.ts'

/** A text as the columns of its glyphs, one dark column between two; bit y of a column is its pixel in row y. */
export type TextStrip = readonly number[]

const DARK_COLUMN = 0

/** What keyboards and editors write for a character the font has. Compatibility forms are dealt with by NFKC. */
const SAME_LOOK: ReadonlyMap<string, string> = new Map([
  ...[...'\u2018\u2019\u201a\u2032'].map((quote): [string, string] => [quote, "'"]),
  ...[...'\u201c\u201d\u201e\u00ab\u00bb\u2033'].map((quote): [string, string] => [quote, '"']),
  ...[...'\u2010\u2012\u2013\u2014\u2212'].map((dash): [string, string] => [dash, '-']),
  ['\u2044', '/'],
  ['\u03bc', 'µ'],
])

/** One text without end would hold the matrix for ever: graphemes of it that are shown. */
export const LONGEST_TEXT = 250

/**
 * The strip of a text; empty when there is nothing to see in it. White space of any kind is one space, a letter whose
 * accent the font does not have is shown without it, anything else the font does not have as its replacement glyph.
 */
export function textStrip(text: string): TextStrip {
  const tidy = text.normalize('NFKC').replace(/\s+/gu, ' ').trim()
  const strip: number[] = []
  let shown = 0
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(tidy)) {
    if (shown++ === LONGEST_TEXT) break
    if (strip.length > 0) strip.push(DARK_COLUMN)
    strip.push(...glyphFor(segment))
  }
  return strip
}

/** Steps of a scrolling text: it comes in from the right, and after the last step the matrix is dark. */
export function scrollSteps(strip: TextStrip): number {
  return strip.length + SIDE - 1
}

/** The text as it is after it has moved by so many columns: at step 0 its first column is seen at the right edge. */
export function scrollFrame(strip: TextStrip, step: number, colour: Rgb): Frame {
  const first = step - (SIDE - 1)
  return Frame.of((x, y) => (((strip[first + x] ?? 0) >> y) & 1 ? colour : BLACK))
}

function glyphFor(grapheme: string): Glyph {
  const character = SAME_LOOK.get(grapheme) ?? grapheme
  return glyphOf(character) ?? glyphOf(withoutAccents(character)) ?? REPLACEMENT
}

function withoutAccents(grapheme: string): string {
  return grapheme.normalize('NFD').replace(/\p{Mn}+/gu, '')
}
