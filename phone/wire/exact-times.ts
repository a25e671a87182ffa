const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
const INTEGER = /-?\d+(?![\d.eE])/y

/**
 * The digits of `payload[i].time`, by `i`, where they are a whole number. `text` is valid JSON: `JSON.parse` has taken it.
 * A `time` deeper in a reading is not taken for the reading's, nor one in a text. As in `JSON.parse` the last of equal keys
 * counts; keys written with escapes are not recognised.
 */
export function exactTimes(text: string): (string | undefined)[] {
  const times: (string | undefined)[] = []
  let depth = 0
  let inPayload = false
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        const end = endOfString(text, i)
        const next = afterSpace(text, end + 1)
        if (text.charCodeAt(next) === COLON) {
          if (depth === 1) {
            inPayload = isKey(text, i, end, 'payload')
            if (inPayload) times.length = 0
          } else if (depth === 3 && inPayload && isKey(text, i, end, 'time')) {
            INTEGER.lastIndex = afterSpace(text, next + 1)
            times[times.length - 1] = INTEGER.exec(text)?.[0]
          }
        }
        i = end
        break
      }
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth++
        if (depth === 2 && inPayload) times.push(undefined)
        break
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--
        break
      case COMMA:
        if (depth === 2 && inPayload) times.push(undefined)
        break
    }
  }
  return times
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end
  }
}

function isKey(text: string, start: number, end: number, key: string): boolean {
  return end - start - 1 === key.length && text.startsWith(key, start + 1)
}

function afterSpace(text: string, at: number): number {
  while (text.charCodeAt(at) <= 0x20) at++
  return at
}
