import type { ComponentCase } from './case.ts'
import type { Report } from './finding.ts'
import { REWRITTEN_UNITS, SENSOR_CLASSES, STATE_CLASSES } from './tables/sensor-classes.ts'
import { isList, renderedSamples } from './values.ts'

/** U+00B5, which is not Home Assistant's U+03BC. */
const MICRO_SIGN = '\u00b5'

/** C7 to C11, C21 and C22. */
export function judgeSensor(the: ComponentCase, report: Report): void {
  judgeUnit(the, report)
  judgeOptions(the, report)
  judgeStateClass(the, report)
  judgeNotNumeric(the, report)
  const precision = the.own.suggested_display_precision
  if (precision !== undefined && (!Number.isInteger(precision) || Number(precision) < 0))
    report('C22', 'component', `suggested_display_precision ${precision} is no number of digits`)
}

/** C7 and C21. */
function judgeUnit({ own }: ComponentCase, report: Report): void {
  const { device_class, unit_of_measurement: sent } = own
  const unit = typeof sent === 'string' ? sent.replaceAll(MICRO_SIGN, '\u03bc') : undefined
  if (sent !== undefined && sent !== null && unit === undefined) {
    report('C7', 'component', 'unit_of_measurement is no text')
    return
  }
  if (unit !== undefined && unit !== sent)
    report('C21', REWRITTEN_UNITS.has(unit) ? 'advisory' : 'own', `the micro of ${sent} is U+00B5, not U+03BC`)
  const units = SENSOR_CLASSES.get(String(device_class))?.units
  if (units === undefined || units === 'any' || units.size === 0 || units.has(unit)) return
  if (unit === undefined) report('C7', 'advisory', `${device_class} has no unit`)
  else report('C7', 'component', `${unit} is no unit of ${device_class}`)
}

/** C8. */
function judgeOptions(the: ComponentCase, report: Report): void {
  const { device_class, options, unit_of_measurement, state_class } = the.own
  if ((device_class === 'enum') !== (options !== undefined))
    report('C8', 'component', 'device_class enum and options go together')
  if (options === undefined) return
  if (!isList(options) || new Set(options).size !== options.length) {
    report('C8', 'component', 'options are no list of different texts')
    return
  }
  if (unit_of_measurement !== undefined || state_class !== undefined)
    report('C8', 'component', 'an enumeration has no unit and no state class')
  for (const text of renderedSamples(the))
    if (text !== 'None' && !options.includes(text)) report('C8', 'own', `${text} is published and not among options`)
}

/** C9; of the enumeration's unit and state class C8 has spoken. */
function judgeNotNumeric({ own }: ComponentCase, report: Report): void {
  const { device_class } = own
  if (device_class === 'enum' || (SENSOR_CLASSES.get(String(device_class))?.numeric ?? true)) return
  for (const key of ['unit_of_measurement', 'state_class', 'suggested_display_precision'])
    if (own[key] !== undefined && own[key] !== null) report('C9', 'add', `a ${device_class} has no ${key}`)
}

/** C10 and C11. */
function judgeStateClass({ own }: ComponentCase, report: Report): void {
  const { device_class, state_class, unit_of_measurement, last_reset_value_template } = own
  if (last_reset_value_template !== undefined && state_class !== 'total')
    report('C11', 'component', 'last_reset_value_template without the state class total')
  if (state_class === undefined || state_class === null) return
  if (!STATE_CLASSES.has(state_class)) {
    report('C11', 'component', `state_class ${state_class}`)
    return
  }
  if (state_class === 'measurement_angle' && unit_of_measurement !== '°')
    report('C10', 'component', `an angle in ${unit_of_measurement}, not in °`)
  const known = SENSOR_CLASSES.get(String(device_class))
  if (known?.numeric && !known.stateClasses.has(String(state_class)))
    report('C11', 'advisory', `${state_class} is impossible for ${device_class}`)
}
