const SVG = 'http://www.w3.org/2000/svg'

/** The paths of `stripPaths` as elements of a drawing. */
export function stripShapes(paths) {
  return Array.from(paths, ([activity, d]) => {
    const shape = document.createElementNS(SVG, 'path')
    shape.setAttribute('d', d)
    shape.setAttribute('class', 'activity')
    shape.dataset.activity = activity
    return shape
  })
}
