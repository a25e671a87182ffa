import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { choicesFor, type HoldCode } from '../../bridge/lanes/decision.ts'
import { REFUSAL_CODES } from '../../bridge/routes/route.ts'
import type { Answer } from '../../bridge/snowpipe/answer.ts'
import { noAnswer } from '../../bridge/snowpipe/answer.ts'
import { type Operation, verdictOn, verdictOnChannel } from '../../bridge/snowpipe/verdict.ts'
import { ALERT_CODES } from '../../bridge/status/alerts.ts'
import { exitCodeOf } from '../../cli/failure.ts'
import { type ErrorCode, SnowhatError } from '../../src/errors.ts'
import { read, rootPath, rowsBelow } from './markdown.ts'

/*
 * docs/errors.md is written by hand; here it is held to the code. Codes that are types alone are read from the source.
 */

const PAGE = 'docs/errors.md'

/** The text literals of a type, or of the list of one. */
function literalsOf(path: string, declaration: RegExp): string[] {
  const found = declaration
    .exec(read(path))
    ?.slice(1)
    .find((text) => text !== undefined)
  if (found === undefined) throw new Error(`${path} has no ${declaration}`)
  return [...found.matchAll(/'(\w+)'/g)].map(([, literal = '']) => literal)
}

const sources = ['src', 'publisher', 'bridge', 'emulator', 'phone', 'cli']
  .filter((folder) => existsSync(rootPath(folder)))
  .flatMap((folder) =>
    readdirSync(rootPath(folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  )
  .map((path) => ({ path, text: read(path) }))

const ERROR_CODES = literalsOf('src/errors.ts', /export type ErrorCode =\n(.*?)\n\n/s) as ErrorCode[]

const plain = (cell: string | undefined) => (cell ?? '').replaceAll('`', '')
const firstCells = (rows: readonly string[][]) => rows.map(([first]) => plain(first))

/** For each error that is made somewhere: whether that place says it may pass by itself. */
function raised(): { code: string; retryable: boolean }[] {
  return sources.flatMap(({ text }) =>
    [...text.matchAll(/new SnowhatError\(\s*'(E_\w+)'/g)].map(({ 0: start, 1: code = '', index }) => {
      let depth = 1
      let end = index + start.indexOf('(') + 1
      for (; depth > 0 && end < text.length; end++) depth += text[end] === '(' ? 1 : text[end] === ')' ? -1 : 0
      return { code, retryable: text.slice(index, end).includes('retryable: true') }
    }),
  )
}

describe('the errors page', () => {
  it('lists every code of the programs, and none that is no more', () => {
    expect(firstCells(rowsBelow(PAGE, 'Errors of the programs')).sort()).toEqual([...ERROR_CODES].sort())
  })

  it('lists only codes that some program raises', () => {
    for (const code of ERROR_CODES) {
      const users = sources.filter(({ path, text }) => path !== 'src/errors.ts' && text.includes(`'${code}'`))
      expect(users.length, `places with ${code}`).toBeGreaterThan(0)
    }
  })

  it('says with which exit code a command ends, and whether the same may succeed later', () => {
    const places = raised()
    for (const [cell, exit, again] of rowsBelow(PAGE, 'Errors of the programs')) {
      const code = plain(cell) as ErrorCode
      expect(exit, code).toBe(String(exitCodeOf(new SnowhatError(code, ''))))
      const here = places.filter((place) => place.code === code)
      const passing = here.filter(({ retryable }) => retryable).length
      expect(again, code).toBe(passing === 0 ? 'no' : passing === here.length ? 'yes' : 'sometimes')
    }
  })

  it('lists every reason of /healthz and every alert', () => {
    const ailments = literalsOf(
      'bridge/status/ailments.ts',
      /AILMENT_CODES = \[\n(.*?)\n\]|readonly code:\n(.*?)\n {2}readonly/s,
    )
    const rows = rowsBelow(PAGE, 'Why the bridge is not well')
    expect(firstCells(rows).sort()).toEqual([...new Set([...ailments, ...ALERT_CODES])].sort())
    for (const [cell, red, alert] of rows) {
      const code = plain(cell)
      expect([red, alert], code).toEqual([
        ailments.includes(code) ? 'yes' : 'no',
        (ALERT_CODES as readonly string[]).includes(code) ? 'yes' : 'no',
      ])
    }
  })

  it('lists every reason for which a device is held, with the choices there are', () => {
    const codes = literalsOf(
      'bridge/lanes/decision.ts',
      /HOLD_CODES = \[\n(.*?)\n\]|export type HoldCode =\n(.*?)\n\n/s,
    )
    const rows = rowsBelow(PAGE, 'Why a device is held')
    expect(firstCells(rows).sort()).toEqual([...codes].sort())
    for (const [code, , choices] of rows) {
      const named = [...(choices ?? '').matchAll(/`--(\w+)`/g)].map(([, choice]) => choice)
      expect(named, code).toEqual(Object.keys(choicesFor(plain(code) as HoldCode)))
    }
  })

  it('lists every code of a dead letter, and so does the page of dead letters', () => {
    expect(firstCells(rowsBelow(PAGE, 'Dead letters')).sort()).toEqual([...REFUSAL_CODES].sort())
    expect(firstCells(rowsBelow('docs/dead-letters.md', 'What becomes one')).sort()).toEqual([...REFUSAL_CODES].sort())
  })
})

describe("what the errors page says of Snowflake's answers", () => {
  const rows = rowsBelow(PAGE, 'What Snowflake answers')
  const answer = (status: number, code = ''): Answer => ({ ...noAnswer(''), status, code })
  const VERDICTS = literalsOf('bridge/snowpipe/verdict.ts', /export type Verdict =\n(.*?)\n\n/s)

  it('explains every verdict', () => {
    const explained = firstCells(rows).filter((cell) => VERDICTS.includes(cell))
    expect(explained.sort()).toEqual([...VERDICTS].sort())
  })

  it('names every code that is known, with the verdict on it', () => {
    const text = read('bridge/snowpipe/verdict.ts')
    const known = [...new Set([...text.matchAll(/'((?:[A-Z]+_)+[A-Z]+|\d{6})'/g)].map(([, code = '']) => code))]
    const named = rows.filter(([cell]) => /^`(?:[A-Z]+_[A-Z_]*[A-Z]|\d{6})`$/.test(cell ?? ''))
    expect(firstCells(named).sort()).toEqual(known.sort())
    for (const [cell, verdict] of named) {
      expect(verdictOn('append', answer(418, plain(cell))), cell).toBe(plain(verdict))
      const isOfChannel = /CHANNEL|STALE/.test(plain(cell)) && plain(verdict) === 'reopen'
      if (isOfChannel) expect(verdictOnChannel(plain(cell)), cell).toBe('reopen')
    }
    for (const family of ['ERR_DATABASE_X', 'ERR_SCHEMA_X', 'ERR_ROLE_X', 'ERR_TABLE_X'])
      expect(verdictOn('open', answer(404, family)), family).toBe('blocked')
    expect(verdictOn('append', answer(400, 'ERR_CHANNEL_NEW_OF_ITS_KIND'))).toBe('reopen_once')
  })

  it('names the verdict on every number and status', () => {
    const numbers = rows.filter(([cell]) => /^`\d`$/.test(cell ?? ''))
    expect(numbers.map(([cell]) => plain(cell))).toEqual(['1', '2', '3', '4', '5', '6'])
    for (const [cell, verdict] of numbers) expect(verdictOn('append', answer(200, plain(cell)))).toBe(plain(verdict))
    const statuses = rows.filter(([cell]) => /^\d{3}/.test(cell ?? ''))
    for (const [cell = '', words = ''] of statuses)
      for (const status of cell.match(/\d{3}/g) ?? []) {
        const [verdict] = words.match(/(?<=`)\w+(?=`)/) ?? []
        expect(verdictOn('append', answer(Number(status))), status).toBe(verdict)
        const otherwise = /else `(\w+)`/.exec(words)?.[1]
        const other: [Operation, string] = status === '404' ? ['append', 'WHATEVER'] : ['open', '']
        if (otherwise !== undefined)
          expect(verdictOn(other[0], answer(Number(status), other[1])), status).toBe(otherwise)
      }
    expect(verdictOn('append', noAnswer(''))).toBe('retry')
  })
})
