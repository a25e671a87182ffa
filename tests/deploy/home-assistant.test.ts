import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parseDocument, type ScalarTag } from 'yaml'
import { ENTITY_IDS, OFF_AT_FIRST } from './announced.ts'

const DIRECTORY = fileURLToPath(new URL('../../deploy/home-assistant/', import.meta.url))
const BLUEPRINTS = 'blueprints/automation/snowhat/'
/** The oldest Home Assistant that is supported, as the documentation says: the first version it names. */
const GUIDE = readFileSync(fileURLToPath(new URL('../../docs/home-assistant.md', import.meta.url)), 'utf8')
const FLOOR = `${/Home Assistant (\d{4}\.\d+) or newer/.exec(GUIDE)?.[1]}.0`

type Json = string | number | boolean | null | Input | readonly Json[] | { readonly [key: string]: Json }
type Fields = { readonly [key: string]: Json }

/** Home Assistant's tag for a value that the user of a blueprint chooses. */
class Input {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

const INPUT: ScalarTag = {
  tag: '!input',
  resolve: (name) => new Input(name),
  identify: (value) => value instanceof Input,
}

const text = (file: string) => readFileSync(DIRECTORY + file, 'utf8')

function load(file: string): Fields {
  const document = parseDocument(text(file), { customTags: [INPUT], uniqueKeys: true })
  expect([...document.errors, ...document.warnings]).toEqual([])
  return document.toJS() as Fields
}

/** Every value in a document, its keys included. */
function* within(value: Json): Generator<Json> {
  yield value
  if (value instanceof Input || typeof value !== 'object' || value === null) return
  for (const inner of Object.values(value)) yield* within(inner)
}

const fieldsIn = (value: Json) =>
  [...within(value)].filter(
    (one): one is Fields => typeof one === 'object' && one !== null && !Array.isArray(one) && !(one instanceof Input),
  )
const listOf = (value: Json | undefined): Fields[] => {
  expect(value).toBeInstanceOf(Array)
  return value as unknown as Fields[]
}

const ENTITY_ID = /\b(?:binary_sensor|button|event|light|notify|number|sensor)\.[a-z0-9_]+/g
/** Actions look like entities. */
const ACTIONS = new Set(['notify.send_message'])

describe('the dashboard', () => {
  const dashboard = load('dashboard.yaml')
  const views = listOf(dashboard.views)
  /** In conditional cards too. */
  const cards = views.flatMap((view) =>
    listOf(view.sections).flatMap((section) =>
      listOf(section.cards).flatMap((card) => (card.type === 'conditional' ? [card, card.card as Fields] : [card])),
    ),
  )
  const entities = (value: Json) => [
    ...new Set(
      [...within(value)]
        .flatMap((one) => (typeof one === 'string' ? (one.match(ENTITY_ID) ?? []) : []))
        .filter((id) => !ACTIONS.has(id)),
    ),
  ]

  it('has a view of the fleet and one of a Pi, each with a title, a path and sections of cards', () => {
    expect(views.map(({ path }) => path)).toEqual(['snowhat-fleet', 'pi-kitchen'])
    for (const view of views) {
      expect(view).toMatchObject({ type: 'sections', title: expect.any(String), icon: expect.stringMatching(/^mdi:/) })
      for (const section of listOf(view.sections)) expect(section).toMatchObject({ type: 'grid' })
    }
  })

  /** What Home Assistant refuses a card without. */
  const NEEDS: Readonly<Record<string, readonly string[]>> = {
    heading: ['heading'],
    tile: ['entity'],
    gauge: ['entity'],
    entities: ['entities'],
    'history-graph': ['entities'],
    'statistics-graph': ['entities', 'stat_types'],
    markdown: ['content'],
    conditional: ['conditions', 'card'],
  }

  it('is made of cards that Home Assistant brings itself, each with what it needs', () => {
    expect(cards.length).toBeGreaterThan(30)
    for (const card of cards) {
      const needs = NEEDS[String(card.type)]
      expect(needs, `card ${card.type}`).toBeDefined()
      for (const key of needs ?? []) expect(card, `card ${card.type}`).toHaveProperty(key)
    }
  })

  it('names no entity that is not announced', () => {
    const named = entities(dashboard)
    expect(named.length).toBeGreaterThan(30)
    expect(named.filter((id) => !ENTITY_IDS.has(id))).toEqual([])
  })

  it('shows no entity that is switched off at first', () => {
    expect(entities(dashboard).filter((id) => OFF_AT_FIRST.has(id))).toEqual([])
  })

  it('finds the Pis by the end of an entity id that is announced, and by the identifier of our devices', () => {
    const [table] = cards.filter(({ type }) => type === 'markdown')
    const content = String(table?.content)
    const suffixes = [...content.matchAll(/sensor\\\.\.\+(_\w+)\$/g)].map(([, suffix]) => suffix ?? '')
    expect(suffixes).toEqual(['_connectivity', '_problem'])
    for (const suffix of suffixes) expect([...ENTITY_IDS]).toContain(`binary_sensor.pi_kitchen${suffix}`)
    for (const what of ['temperature', 'humidity', 'pressure']) {
      expect(content).toContain(`'${what}'`)
      expect([...ENTITY_IDS]).toContain(`sensor.pi_kitchen_${what}`)
    }
    expect(content).toContain("'sensehat_' in device_attr(link, 'identifiers')")
  })
})

describe.each(readdirSync(DIRECTORY + BLUEPRINTS))('the blueprint %s', (file) => {
  const blueprint = load(BLUEPRINTS + file)
  const about = blueprint.blueprint as Fields
  const inputs = about.input as Readonly<Record<string, Fields>>
  const { blueprint: _, ...automation } = blueprint

  it('says what it is, and from which Home Assistant on', () => {
    expect(about).toMatchObject({
      name: expect.stringMatching(/^Snowhat: /),
      description: expect.any(String),
      domain: 'automation',
      homeassistant: { min_version: FLOOR },
    })
    expect(Object.keys(about).sort()).toEqual(['description', 'domain', 'homeassistant', 'input', 'name'])
  })

  it('is an automation in the words of the oldest Home Assistant that is supported', () => {
    const keys = ['mode', 'max_exceeded', 'trigger_variables', 'variables', 'triggers', 'conditions', 'actions']
    expect(Object.keys(automation).filter((key) => !keys.includes(key))).toEqual([])
    for (const key of ['triggers', 'conditions', 'actions']) expect(automation).toHaveProperty(key)
    for (const trigger of listOf(automation.triggers as Json)) {
      expect(['state', 'template', 'numeric_state']).toContain(trigger.trigger)
      if (trigger.trigger === 'state') expect(trigger).toHaveProperty('entity_id')
      if (trigger.trigger === 'template') expect(trigger).toHaveProperty('value_template')
    }
    for (const condition of listOf(automation.conditions as Json)) expect(condition.condition).toBe('template')
    // No `wait_for_trigger`: it misses what is so already.
    const acts = ['sequence', 'delay', 'wait_template', 'timeout', 'continue_on_timeout']
    const steps = listOf(automation.actions as Json).flatMap(({ repeat, ...step }) => {
      if (repeat === undefined) return [step]
      expect(repeat).toHaveProperty('until')
      return [step, ...listOf((repeat as Fields).sequence)]
    })
    for (const step of steps) expect(acts).toEqual(expect.arrayContaining(Object.keys(step)))
    // Words of before.
    for (const fields of fieldsIn(blueprint))
      for (const old of ['platform', 'service', 'trigger_id']) expect(fields).not.toHaveProperty(old)
  })

  it('offers each input with a name and a selector, and each that may be left out with a default', () => {
    const selectors = ['entity', 'number', 'duration', 'action']
    for (const [name, input] of Object.entries(inputs)) {
      expect(input, name).toMatchObject({ name: expect.any(String) })
      const [[selector, options] = ['', null], ...others] = Object.entries(input.selector as Fields)
      expect(others, name).toEqual([])
      expect(selectors, name).toContain(selector)
      if (selector === 'number') {
        const { min, max } = options as { min: number; max: number }
        expect(input.default, name).toBeGreaterThanOrEqual(min)
        expect(input.default, name).toBeLessThanOrEqual(max)
      }
      if (selector !== 'entity') expect(input, name).toHaveProperty('default')
    }
  })

  it('uses every input, and no other', () => {
    const used = [...within(automation)].filter((value) => value instanceof Input).map(({ name }) => name)
    expect([...new Set(used)].sort()).toEqual(Object.keys(inputs).sort())
  })

  it('has templates that are closed, and speaks of no variable that it has not', () => {
    const templates = [...within(blueprint)].filter((value): value is string => /{[{%]/.test(String(value)))
    expect(templates.length).toBeGreaterThan(0)
    for (const template of templates)
      for (const [open, close] of [
        ['{{', '}}'],
        ['{%', '%}'],
      ] as const)
        expect(template.split(open), template).toHaveLength(template.split(close).length)
    const known = Object.keys({ ...(automation.variables as Fields), ...(automation.trigger_variables as Fields) })
    for (const name of Object.keys(inputs))
      if (templates.some((template) => new RegExp(`(?<![.'\\w])${name}(?![.'\\w(])`).test(inExpressions(template))))
        expect(known, name).toContain(name)
  })
})

/** Only what is in braces, without strings: what the template says in words is nobody's variable. */
function inExpressions(template: string): string {
  return [...template.matchAll(/{[{%](.*?)[%}]}/gs)].map(([, inner]) => inner?.replace(/'[^']*'/g, '')).join(' ')
}
