/*
 * JSON as it was written, cut at its first level. Only for text that JSON.parse has taken: nothing is checked again. Line
 * breaks between tokens become blanks, for a row is one line; inside of a JSON text there are none.
 */

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a]
const OPENING = new Set([0x7b, 0x5b])
const CLOSING = new Set([0x7d, 0x5d])

/** Key to the JSON of its value. Of a key that comes twice the last one counts, as for JSON.parse. */
export function membersOf(object: string): Map<string, string> {
  const members = new Map<string, string>()
  for (const { text, colon } of parts(object)) {
    if (colon < 0) continue
    members.set(JSON.parse(text.slice(0, colon)) as string, oneLine(text.slice(colon + 1)))
  }
  return members
}

/** The JSON of an object of these members: what `membersOf` takes apart. */
export function objectOf(members: Iterable<readonly [key: string, json: string]>): string {
  return `{${Array.from(members, ([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`
}

/** The JSON of each element. */
export function elementsOf(array: string): string[] {
  return parts(array).flatMap(({ text }) => (text.trim() === '' ? [] : [oneLine(text)]))
}

/** What stands between the commas of the first level, each with the place of its first colon there. */
function parts(text: string): { readonly text: string; readonly colon: number }[] {
  const found: { text: string; colon: number }[] = []
  let depth = 0
  let from = 0
  let colon = -1
  const end = (at: number) => {
    found.push({ text: text.slice(from, at), colon: colon < 0 ? -1 : colon - from })
    from = at + 1
    colon = -1
  }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfText(text, at)
    else if (OPENING.has(code)) {
      if (depth++ === 0) from = at + 1
    } else if (CLOSING.has(code)) {
      if (--depth === 0) end(at)
    } else if (depth === 1 && code === COMMA) end(at)
    else if (depth === 1 && code === COLON && colon < 0) colon = at
  }
  return found
}

/** Where the quotation mark is that ends the text which begins at `at`. */
function endOfText(text: string, at: number): number {
  let end = text.indexOf('"', at + 1)
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end < 0 ? text.length : end
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

function oneLine(json: string): string {
  const trimmed = json.trim()
  return /[\r\n]/.test(trimmed) ? trimmed.replace(/[\r\n]+/g, ' ') : trimmed
}
