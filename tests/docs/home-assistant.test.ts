import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { HaEntityComponent } from '../../src/home-assistant/document.ts'
import { FIELDS, type Field } from '../../src/reading.ts'
import { ENTITY_IDS, EXAMPLE_HOST, PI } from '../deploy/announced.ts'

/*
 * The table of a Pi's entities is written by the document that announces them, the rest of the page by hand. After a change:
 * npx vitest run tests/docs -u
 */

const PAGE = '../../docs/home-assistant.md'
const BEGIN = '<!-- entities of a Pi: written by tests/docs -->\n'
const END = '<!-- end -->'

/** Of what is no field of a reading. */
const MEANINGS: Readonly<Record<string, string>> = {
  connectivity: 'whether the Pi is connected to the broker; never unavailable',
  problem:
    'a chip that does not answer, readings given up, a clock that is not set, another Pi of this name: `info` says which',
  last_boot: 'when the machine was started',
  led: 'all pixels in one colour, or an effect; off is dark',
  message: 'a text that scrolls over the matrix, then what was there before',
  identify: 'the matrix shows for a moment which Pi it is',
  interval: 'seconds between two readings, for the table',
  state_interval: 'seconds between two values for Home Assistant',
  restart:
    'the publisher begins anew in its process; readings in an outbox on disk stay, one in memory waits up to 30 s until its readings are in the table',
  joystick_up: 'short and long presses',
  joystick_down: 'short and long presses',
  joystick_left: 'short and long presses',
  joystick_right: 'short and long presses',
  joystick_middle: 'short and long presses',
}

const meaningOf = (key: string) => MEANINGS[key] ?? (FIELDS as readonly Field[]).find((field) => field.key === key)?.doc

const unitOf = (component: HaEntityComponent) =>
  'unit_of_measurement' in component ? (component.unit_of_measurement ?? '') : ''

it("the page's table lists every entity a Pi can announce, with its unit, where it stands, and its meaning", async () => {
  const rows = PI.map(([key, component]) => {
    const { default_entity_id: id, enabled_by_default: enabled, entity_category: category, name } = component
    const meaning = meaningOf(key)
    expect(meaning, `a meaning for ${key}`).toBeDefined()
    const where = [...(category === undefined ? [] : [category === 'config' ? 'setting' : category])]
    return `| ${name} | \`${id}\` | ${unitOf(component)} | ${[...where, ...(enabled === false ? ['off'] : [])].join(', ')} | ${meaning} |`
  })
  const table = ['| name | entity id | unit | | what it is |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')
  const page = readFileSync(fileURLToPath(new URL(PAGE, import.meta.url)), 'utf8')
  const [before, rest, ...more] = page.split(BEGIN)
  const [, after] = rest?.split(END) ?? []
  expect([more, typeof after]).toEqual([[], 'string'])
  await expect(`${before}${BEGIN}${table}\n${END}${after}`).toMatchFileSnapshot(PAGE)
})

it('the page speaks of no entity that is not announced', () => {
  const page = readFileSync(fileURLToPath(new URL(PAGE, import.meta.url)), 'utf8')
  const node = EXAMPLE_HOST.replaceAll('-', '_')
  const named = page.match(new RegExp(`\\b[a-z_]+\\.${node}_[a-z_]+`, 'g')) ?? []
  expect(named.length).toBeGreaterThan(PI.length)
  expect(named.filter((id) => !ENTITY_IDS.has(id))).toEqual([])
})

it('the page excludes from the recorder only what there is', () => {
  const page = readFileSync(fileURLToPath(new URL(PAGE, import.meta.url)), 'utf8')
  const globs = [...page.matchAll(/^ +- (sensor\.pi_\*\S+)$/gm)].map(([, glob]) => glob ?? '')
  expect(globs.length).toBeGreaterThan(5)
  for (const glob of globs) {
    const pattern = new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`)
    expect(
      [...ENTITY_IDS].some((id) => pattern.test(id)),
      glob,
    ).toBe(true)
  }
})
