import type { ComponentCase } from './case.ts'
import { isFields, isText, type Report } from './finding.ts'
import { judgeSensor } from './sensor-rules.ts'
import { LIGHT_COLOR_MODES, REMOVED_LIGHT_KEYS } from './tables/platforms.ts'
import { isList, renderedSamples } from './values.ts'

/** C7 to C15 and C21 to C23, by platform. */
export const PLATFORM_RULES: ReadonlyMap<string, (the: ComponentCase, report: Report) => void> = new Map([
  ['sensor', judgeSensor],
  ['number', judgeNumber],
  ['event', judgeEvent],
  ['select', judgeSelect],
  ['light', judgeLight],
  ['update', judgeUpdate],
])

/** C12; the defaults are Home Assistant's. */
function judgeNumber({ own }: ComponentCase, report: Report): void {
  const { min = 0, max = 100, step = 1 } = own
  if (typeof step !== 'number' || step < 0.001) report('C12', 'component', `step ${step} is less than 0.001`)
  if (typeof min !== 'number' || typeof max !== 'number' || min > max)
    report('C12', 'component', `min ${min} is not below max ${max}`)
  else if (min === max) report('C12', 'own', `min and max are both ${min}`)
}

/** C13. */
function judgeEvent(the: ComponentCase, report: Report): void {
  const types = the.own.event_types
  if (types === undefined) return
  if (!isList(types)) {
    report('C13', 'component', 'event_types is no list of texts, or empty')
    return
  }
  for (const text of renderedSamples(the)) {
    const type = eventTypeOf(text)
    if (type === undefined) report('C13', 'own', `${text} has no event_type`)
    else if (!types.includes(type)) report('C13', 'own', `${type} is published and not among event_types`)
  }
}

/** C14. */
function judgeSelect(the: ComponentCase, report: Report): void {
  const { options } = the.own
  if (options === undefined) return
  if (!isList(options)) {
    report('C14', 'component', 'options is no list of texts, or empty')
    return
  }
  for (const text of renderedSamples(the))
    if (text !== 'None' && !options.includes(text)) report('C14', 'own', `${text} is published and not among options`)
}

/** C15. */
function judgeLight({ own }: ComponentCase, report: Report): void {
  const { schema, supported_color_modes: modes, effect, effect_list } = own
  if (schema !== undefined && schema !== 'json') report('C15', 'component', `schema ${schema} is not json`)
  for (const key of REMOVED_LIGHT_KEYS)
    if (key in own) report('C15', 'component', `${key} is no longer a key of the JSON light`)
  if (modes !== undefined) judgeColorModes(modes, report)
  if (effect_list !== undefined && !isList(effect_list))
    report('C15', 'component', 'effect_list is no list of texts, or empty')
  if ((effect === true) !== (effect_list !== undefined))
    report('C15', 'own', 'effect and effect_list are not there together')
}

/** `onoff` and `brightness` stand alone, `white` never does. */
function judgeColorModes(modes: unknown, report: Report): void {
  if (!isList(modes) || !modes.every((mode) => LIGHT_COLOR_MODES.has(mode))) {
    report('C15', 'component', 'supported_color_modes has unknown modes, or none')
    return
  }
  const hasColor = modes.some((mode) => /^(hs|xy|rgbw{0,2})$/.test(mode))
  const mustBeAlone = modes.length > 1 && (modes.includes('onoff') || modes.includes('brightness'))
  if (mustBeAlone || (modes.includes('white') && !hasColor))
    report('C15', 'component', `supported_color_modes ${modes} do not go together`)
  else if (modes.includes('rgb') && modes.length > 1) report('C15', 'own', 'rgb is to be the only colour mode')
}

/** C23. */
function judgeUpdate({ own: { device_class } }: ComponentCase, report: Report): void {
  if (device_class !== undefined && device_class !== null && device_class !== 'firmware')
    report('C23', 'component', `device_class ${device_class} is not firmware`)
}

function eventTypeOf(text: string): string | undefined {
  try {
    const event: unknown = JSON.parse(text)
    return isFields(event) && isText(event.event_type) ? event.event_type : undefined
  } catch {
    return undefined
  }
}
