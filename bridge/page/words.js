/** Numbers and times as people read them. Times are epoch milliseconds. */

/** Making a format takes a hundred times as long as using it. */
const formats = new Map()

function number(value, decimals) {
  let format = formats.get(decimals)
  if (format === undefined) {
    format = new Intl.NumberFormat(undefined, { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    formats.set(decimals, format)
  }
  return format.format(value)
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })

export function count(n) {
  return number(n, 0)
}

export function counted(n, what) {
  return `${count(n)} ${what}${n === 1 ? '' : 's'}`
}

export function value(amount, unit, decimals = 1) {
  if (amount === null || amount === undefined) return '–'
  const space = unit === '°' || unit === '' ? '' : '\u202f'
  return `${number(amount, decimals)}${space}${unit}`
}

/** What the owner of a phone does, and how sure that is. */
export function doing({ activity, confidence }) {
  return confidence === null ? activity : `${activity} ${number(confidence * 100, 0)}\u202f%`
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB']

export function bytes(n) {
  const power = n < 1 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(n) / 3))
  return `${number(n / 1000 ** power, power === 0 ? 0 : 1)}\u202f${SIZES[power]}`
}

/** How long something takes, in one unit. */
export function duration(ms) {
  const s = Math.max(0, ms) / 1000
  if (s < 9.95) return `${number(s, 1)}\u202fs`
  if (s < 120) return `${Math.round(s)}\u202fs`
  if (s < 7200) return `${Math.round(s / 60)}\u202fmin`
  if (s < 172_800) return `${Math.round(s / 3600)}\u202fh`
  return `${Math.round(s / 86_400)}\u202fd`
}

export function ago(ms) {
  return ms < 1_500 ? 'now' : `${duration(Math.round(ms / 1000) * 1000).replace(/[.,]0/, '')} ago`
}

/** In the zone of who reads it; with the day where that is not today. */
export function clockTime(at, now) {
  const date = new Date(at)
  const time = TIME.format(date)
  const isToday = date.toDateString() === new Date(now).toDateString()
  return isToday ? time : `${DAY.format(date)}, ${time}`
}

/** Makes an element: attributes (`class`, `href`, `hidden` …), and children, which are elements or text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, text] of Object.entries(attributes)) if (text !== undefined) made.setAttribute(name, text)
  made.append(...children.filter((child) => child !== undefined))
  return made
}

/** Writes only what is new: a text that is written anew is laid out anew. */
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text
}

export function mark(target, name, text) {
  if (target.dataset[name] !== text) target.dataset[name] = text
}
