import type { Table } from './catalog.ts'
import type { Column } from './column-type.ts'
import { type Cell, convert, NULL_REFUSED, type RowError } from './conversion.ts'
import { markNumbers } from './exact-number.ts'

/** A line of NDJSON as a row of the table, cells in column order, or what is wrong with it. */
export type RowResult = { readonly cells: readonly Cell[] } | { readonly error: RowError; readonly line: string }

const NOT_JSON: RowError = { code: 100069, message: 'Error parsing JSON' }

/**
 * Reads the rows of one table. Keys match column names without regard to case [documented]; unknown keys are ignored
 * [assumed]; a missing key takes the default, else NULL [documented].
 *
 * A DEFAULT is worked out here, when the pipe is compiled, and not per row: CURRENT_TIMESTAMP() stands still [documented].
 */
export class RowReader {
  readonly #columns: readonly Column[]
  readonly #places = new Map<string, number>()
  readonly #defaults: readonly Cell[]

  constructor(table: Table, now: number) {
    this.#columns = table.columns
    for (const [i, { name }] of table.columns.entries()) {
      this.#places.set(name.toUpperCase(), i)
      // As most clients write it: folding every key of every row would cost more than finding it.
      this.#places.set(name.toLowerCase(), i)
    }
    this.#defaults = table.columns.map((column) => defaultOf(column, now))
  }

  read(line: string): RowResult {
    const row = parsedObject(line)
    if (row === undefined) return { error: NOT_JSON, line }
    const cells = [...this.#defaults]
    for (const key of Object.keys(row)) {
      const place = this.#places.get(key) ?? this.#places.get(key.toUpperCase())
      if (place === undefined) continue
      const conversion = convert(row[key], (this.#columns[place] as Column).type)
      if ('error' in conversion) return { error: conversion.error, line }
      cells[place] = conversion.cell
    }
    const lacking = this.#columns.some((column, i) => column.notNull && cells[i] === null)
    return lacking ? { error: NULL_REFUSED, line } : { cells }
  }
}

function parsedObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(markNumbers(line))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Constants and the current time; any other expression counts as no default. */
function defaultOf({ defaultText: text, type }: Column, now: number): Cell {
  if (text === undefined || /^null$/i.test(text)) return null
  const value = /^(CURRENT_TIMESTAMP|SYSDATE|LOCALTIMESTAMP|GETDATE)$/i.test(text)
    ? new Date(now).toISOString()
    : text.startsWith("'")
      ? text.slice(1, -1).replaceAll("''", "'")
      : text
  const conversion = convert(value, type)
  return 'cell' in conversion ? conversion.cell : null
}
