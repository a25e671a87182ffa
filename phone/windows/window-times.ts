/*
 * Where windows lie: half-open, aligned to 1970, independent of time zones (rules W-1 to W-4). Times are microseconds since
 * 1970.
 */

export const WINDOW_US = 10_000_000
export const SLIDE_US = 2_000_000
export const WINDOWS_PER_SAMPLE = WINDOW_US / SLIDE_US

/** The start of the newest window that holds `tUs`. Works before 1970 too. */
export function lastStart(tUs: number): number {
  return tUs - (((tUs % SLIDE_US) + SLIDE_US) % SLIDE_US)
}

/** A window's number: its end counted in slides. Neighbours differ by one. */
export function windowNumber(endUs: number): number {
  return endUs / SLIDE_US
}
