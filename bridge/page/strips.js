/** What the owner of a phone did, as a strip of colours: a path for each activity, which the style sheet colours. */

export const ACTIVITIES = ['stationary', 'walking', 'running', 'sprinting', 'unknown']

/**
 * Activity to path, in a box of `width` by `height`: a block for each run of steps with one activity. `null` is a gap.
 * What the page does not know is drawn as unknown.
 */
export function stripPaths(steps, width, height) {
  const paths = new Map()
  const step = width / steps.length
  for (let first = 0; first < steps.length; ) {
    const doing = steps[first]
    let last = first + 1
    while (last < steps.length && steps[last] === doing) last++
    if (doing !== null) {
      const known = ACTIVITIES.includes(doing) ? doing : 'unknown'
      const block = `M${(first * step).toFixed(1)} 0h${((last - first) * step).toFixed(1)}v${height}h-${((last - first) * step).toFixed(1)}z`
      paths.set(known, (paths.get(known) ?? '') + block)
    }
    first = last
  }
  return paths
}
