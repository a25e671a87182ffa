import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { allSections } from '../../cli/sections.ts'
import { statementsOf } from '../../emulator/statement-text.ts'
import { envName, loadSettings, settingPaths } from '../../src/config.ts'
import { emulated } from '../emulator/harness.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { type Block, blocksOf, pages, read } from './markdown.ts'
import { isEnvironment, planOf, SHELLS, shellBlocks } from './shell-blocks.ts'

const blocks = pages().flatMap((page) => blocksOf(page))
const named = (of: readonly Block[]) => of.map((block) => [`${block.page}:${block.line}`, block] as const)
const inLanguage = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language))

/** Each document of a block, as plain values. */
function documentsOf({ language, text }: Block): unknown[] {
  if (language === 'json') return [JSON.parse(text)]
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors
    if (error !== undefined) throw error
    return document.toJS() as unknown
  })
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A configuration is what has no other keys than our sections; Home Assistant's YAML has none of them. */
const isConfiguration = (value: unknown): value is Record<string, Record<string, unknown>> =>
  isObject(value) && Object.keys(value).length > 0 && Object.keys(value).every((key) => key in allSections)

describe('what the pages show', () => {
  it.each(named(inLanguage('yaml', 'yml', 'json')))('is well formed: %s', (_place, block) => {
    expect(documentsOf(block).every((value) => typeof value === 'object' && value !== null)).toBe(true)
  })

  const configurations = named(inLanguage('yaml', 'yml', 'json')).flatMap(([place, block]) =>
    documentsOf(block)
      .filter(isConfiguration)
      .map((value) => [place, value] as const),
  )

  it('as a configuration is recognised as one', () => {
    expect(configurations.length).toBeGreaterThan(1)
  })

  it.each(configurations)('as a configuration is taken by every command: %s', async (_place, value) => {
    const directory = temporaryDirectory()
    const secret = join(directory, 'secret')
    writeFileSync(secret, 'secret\n')
    // The files a page names are the reader's.
    const sections = Object.entries(value).map(([name, section]) => [
      name,
      Object.fromEntries(
        Object.entries(section).map(([key, setting]) => [key, key.endsWith('_file') ? secret : setting]),
      ),
    ])
    const file = join(directory, 'snowhat.yaml')
    writeFileSync(file, JSON.stringify(Object.fromEntries(sections)))
    await expect(loadSettings(allSections, { file, env: {}, args: new Map() })).resolves.toBeDefined()
  })

  it.each(named(inLanguage(...SHELLS, 'env', 'ini')).filter(([, block]) => isEnvironment(block)))(
    'as an environment names only variables that are read: %s',
    (_place, { text }) => {
      const known = new Set([...settingPaths(allSections).keys()].map(envName))
      const compose = read('compose.yaml')
      for (const [, name = ''] of text.matchAll(/^(\w+)=/gm))
        expect(known.has(name) || compose.includes(name) || name === 'TZ', name).toBe(true)
    },
  )

  const queries = inLanguage('sql').flatMap((block) =>
    planOf(block.remark)?.kind === 'never'
      ? []
      : statementsOf(block.text).map(({ text, line }) => [`${block.page}:${block.line + line - 1}`, text] as const),
  )

  it.each(queries)('as SQL is answered by the emulator: %s', async (_place, statement) => {
    const { client } = await emulated()
    expect(await client.sql(statement)).toMatchObject({ status: 200 })
  })
})

describe('what a reader pastes into a terminal', () => {
  const shell = shellBlocks()

  it.each(named(shell))('is run by a test, or says why not: %s', (_place, block) => {
    const { plan } = block as (typeof shell)[number]
    expect(plan, 'a comment above it: tests/docs/shell-blocks.ts').toBeDefined()
    if (plan?.kind !== 'elsewhere') return
    const test = read(plan.test)
    for (const [, command = ''] of block.text.matchAll(/(?<![\w/])snowhat ([a-z]\w*)/g))
      expect(test, command).toContain(command)
  })

  it('is run here in part at least', () => {
    expect(shell.filter(({ plan }) => plan?.kind === 'run' || plan?.kind === 'until').length).toBeGreaterThan(5)
  })
})
