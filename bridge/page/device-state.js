/** What a person should know of a device in one word, worst first. */

/** Nothing heard for longer than this is worth a look. */
const SILENT_MS = 10 * 60_000
/** Rows that wait longer than this are late. */
const LATE_MS = 5 * 60_000

const STATES = {
  held: { rank: 0, word: 'Held', mood: 'bad', why: 'a person must say what is in the table' },
  blocked: { rank: 1, word: 'Blocked', mood: 'bad', why: 'Snowflake refuses its rows' },
  late: { rank: 2, word: 'Late', mood: 'warning', why: 'its rows wait for more than five minutes' },
  missing: { rank: 3, word: 'Missing', mood: 'warning', why: 'readings never came' },
  silent: { rank: 4, word: 'Silent', mood: 'warning', why: 'nothing heard for ten minutes' },
  unheard: { rank: 5, word: 'Not heard', mood: 'unknown', why: 'nothing heard since the bridge started' },
  rejected: { rank: 6, word: 'Rejected', mood: 'warning', why: 'Snowflake could not store some of its rows' },
  ok: { rank: 7, word: 'Well', mood: 'ok', why: 'readings come, and get into the table' },
}

export function stateOf(tile, now) {
  if (tile.lane === 'held' || tile.lane === 'blocked') return STATES[tile.lane]
  if (lagOf(tile, now) > LATE_MS) return STATES.late
  if (tile.missing > 0) return STATES.missing
  if (tile.seen_at === null) return STATES.unheard
  if (now - tile.seen_at > SILENT_MS) return STATES.silent
  return tile.rejected > 0 ? STATES.rejected : STATES.ok
}

/** Milliseconds the oldest row has waited. */
export function lagOf(tile, now) {
  return tile.waiting_since === null ? 0 : Math.max(0, now - tile.waiting_since)
}
