/** The rules of MQTT topics as Home Assistant checks them in a payload (spec 1.16). */

const MAX_BYTES = 65_535
/** NUL, control characters, and the code points Unicode keeps for nobody. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u

/** Why no broker would take this as a subscription; nothing when one would. */
export function subscriptionFault(topic: unknown): string | undefined {
  const fault = nameFault(topic)
  if (fault !== undefined) return fault
  const levels = String(topic).split('/')
  const strayPlus = levels.some((level) => level.includes('+') && level !== '+')
  const strayHash = levels.some((level, i) => level.includes('#') && (level !== '#' || i !== levels.length - 1))
  return strayPlus || strayHash ? 'has a wildcard that is not a level of its own, or not the last' : undefined
}

/** Why no broker would take a message for this topic; nothing when one would. */
export function publicationFault(topic: unknown): string | undefined {
  return nameFault(topic) ?? (/[+#]/.test(String(topic)) ? 'has a wildcard' : undefined)
}

/** What Home Assistant takes and publishers here avoid. */
export function untidiness(topic: string): string | undefined {
  if (/^[$/]/.test(topic)) return 'begins with $ or /'
  return topic.includes(' ') ? 'has a space' : undefined
}

/** Whether a subscription gets what is published on a topic. */
export function topicMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  const rest = wanted.indexOf('#')
  if (rest === -1 ? wanted.length !== levels.length : levels.length < rest) return false
  return wanted.every((level, i) => level === '#' || level === '+' || level === levels[i])
}

function nameFault(topic: unknown): string | undefined {
  if (typeof topic !== 'string') return 'is not text'
  if (topic === '') return 'is empty'
  if (Buffer.byteLength(topic) > MAX_BYTES) return `has more than ${MAX_BYTES} bytes`
  return FORBIDDEN.test(topic) ? 'has characters no topic may have' : undefined
}
