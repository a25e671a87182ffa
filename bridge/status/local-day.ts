/** Days of the calendar in the time zone of the process. Times are epoch milliseconds. */

/** `2026-11-22`. */
export function dayName(at: number): string {
  const date = new Date(at)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** `2026-11` of `2026-11-22`. */
export function monthName(day: string): string {
  return day.slice(0, 7)
}

/** Midnight of the day `at` lies in, or of one so many days later. */
export function dayStart(at: number, later = 0): number {
  const date = new Date(at)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + later).getTime()
}

/** Not always 24 hours later: clocks change. */
export function dayEnd(at: number): number {
  return dayStart(at, 1)
}

/** Midnight of the first day of the month `at` lies in, or of one so many months later. */
export function monthStart(at: number, later = 0): number {
  const date = new Date(at)
  return new Date(date.getFullYear(), date.getMonth() + later).getTime()
}
