import { distance } from 'fastest-levenshtein'

/** The known word a mistyped one was most likely meant to be; `undefined` when nothing is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: { word: string; distance: number } | undefined
  for (const candidate of known) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase())
    if (best === undefined || d < best.distance) best = { word: candidate, distance: d }
  }
  return best !== undefined && best.distance <= Math.max(2, word.length / 2.5) ? best.word : undefined
}

/** ` Did you mean "url"?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const guess = nearest(word, known)
  return guess === undefined ? undefined : `did you mean ${guess}?`
}
