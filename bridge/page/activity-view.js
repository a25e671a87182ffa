import { stripShapes } from './strip-shapes.js'
import { ACTIVITIES, stripPaths } from './strips.js'
import { clockTime, counted, element } from './words.js'

const SVG = 'http://www.w3.org/2000/svg'
const WIDTH = 720
const HEIGHT = 48
const MINUTE = 60_000

/** The last hour of a phone: a strip with its times, and how long each activity was. */
export function activityView({ from, step_ms, activity }) {
  const image = document.createElementNS(SVG, 'svg')
  image.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`)
  image.setAttribute('preserveAspectRatio', 'none')
  image.setAttribute('class', 'strip')
  image.setAttribute('role', 'img')
  image.setAttribute('aria-label', 'activity of the last hour; the list below says how long each was')
  image.append(...stripShapes(stripPaths(activity, WIDTH, HEIGHT)))
  const end = from + activity.length * step_ms
  const times = [from, (from + end) / 2, end].map((at) => element('span', {}, clockTime(at, end)))
  const minutes = new Map()
  for (const one of activity) if (one !== null) minutes.set(one, (minutes.get(one) ?? 0) + step_ms / MINUTE)
  const legend = ACTIVITIES.filter((one) => minutes.has(one)).map((one) =>
    element(
      'li',
      {},
      element('span', { class: 'key', 'data-activity': one }),
      `${one}: ${counted(Math.round(minutes.get(one)), 'minute')}`,
    ),
  )
  return element(
    'div',
    {},
    image,
    element('p', { class: 'strip-times' }, ...times),
    element('ul', { class: 'strip-key' }, ...legend),
  )
}
