import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { messageOf, SnowhatError } from '../../src/errors.ts'
import { nearest } from '../../src/nearest.ts'
import { Refusal } from '../answer.ts'
import { dialectShape } from '../answer-dialect.ts'
import type { Catalog } from '../catalog.ts'
import { foldIdentifier } from '../names.ts'
import { FAULTS, Fault } from './fault.ts'

const noneOrMore = z
  .int({ error: 'must be a whole number; 0 for no limit' })
  .min(0, { error: 'must be a whole number; 0 for no limit' })

export const limitsShape = {
  requestsPerSecond: noneOrMore.exactOptional(),
  bytesPerSecond: noneOrMore.exactOptional(),
  channelsPerPipe: z
    .int({ error: 'must be a whole number' })
    .min(0, { error: 'must be a whole number from 0 on' })
    .exactOptional(),
  /** Names in one bulk status request; whether the service has a limit is not known. */
  namesPerStatus: noneOrMore.exactOptional(),
} as const

const parts = {
  faults: z.array(Fault, { error: 'must be a list of faults' }).default([]),
  dialect: z.strictObject(dialectShape).default({}),
  limits: z.strictObject(limitsShape).default({}),
} as const

const FaultDocument = z.strictObject(parts)

/** What is wrong with the service, and how it speaks: the content of `--faults FILE` and of `POST /emulator/faults`. */
export type FaultDocument = z.output<typeof FaultDocument> & {
  /** The faults as they were written. */
  readonly written: readonly unknown[]
}

/** From parsed JSON: a document, or a list of faults alone. Throws a `Refusal` that says in one sentence what is wrong. */
export function readDocument(json: unknown, catalog: Catalog): FaultDocument {
  const document = Array.isArray(json) ? { faults: json } : json
  const read = FaultDocument.safeParse(document)
  if (!read.success) throw new Refusal(400, 'INVALID_FAULTS', sentenceOf(read.error, document))
  for (const [i, fault] of read.data.faults.entries())
    if (fault.action === 'replace-table' && fault.table !== undefined) checkTable(fault.table, i, catalog)
  const { faults } = document as { faults?: readonly unknown[] }
  return { ...read.data, written: faults ?? [] }
}

function checkTable(name: string, i: number, catalog: Catalog): void {
  const known = catalog.tables.map((table) => table.name.name)
  if (known.includes(foldIdentifier(name))) return
  throw new Refusal(
    400,
    'INVALID_FAULTS',
    `faults[${i}].table is ${JSON.stringify(name)}, ${alternatives(name, known)}`,
  )
}

export async function readFaultFile(file: string, catalog: Catalog): Promise<FaultDocument> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new SnowhatError('E_FILE_UNREADABLE', `cannot read the faults in ${file}: ${messageOf(error)}`, {
      cause: error,
      hint: 'is the path of --faults right, and may this user read it?',
    })
  }
  try {
    return readDocument(JSON.parse(text), catalog)
  } catch (error) {
    throw new SnowhatError('E_CONFIG_INVALID', `${file} holds no faults that can be used: ${messageOf(error)}`, {
      cause: error,
      hint: 'docs/emulator.md lists every fault with an example',
    })
  }
}

type Issue = z.core.$ZodIssue

/** What is wrong first, with the name of the place. */
function sentenceOf(error: z.ZodError, document: unknown): string {
  const issue = error.issues[0] as Issue
  const place = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  const name = place.slice(1) || 'the document'
  const value = valueAt(document, issue.path)
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    return `${name} has "${key}", ${alternatives(key, keysAt(document, issue.path))}`
  }
  if (issue.path.at(-1) === 'action' && issue.code === 'invalid_union') {
    if (value === undefined) return `${name} is missing`
    return `${name} is ${JSON.stringify(value)}, ${alternatives(String(value), ACTIONS)}`
  }
  if (value === undefined) return `${name} is missing`
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid'))
    return `${name} is ${JSON.stringify(value)}, ${alternatives(String(value), issue.values.map(String))}`
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid'))
    return `${name} must be ${issue.expected === 'object' ? 'a JSON object' : `of type ${issue.expected}`}`
  return `${name} ${issue.message}`
}

const ACTIONS = FAULTS.map(({ shape }) => shape.action.value)

function alternatives(word: string, known: readonly string[]): string {
  const guess = nearest(word, known)
  // Anything is near to a word of one or two letters.
  return guess === undefined || guess.length < 3
    ? `which is none of ${known.join(', ')}`
    : `which is unknown; did you mean "${guess}"?`
}

/** The keys an object at this place may have. */
function keysAt(document: unknown, path: readonly PropertyKey[]): string[] {
  if (path[0] === 'dialect') return Object.keys(dialectShape)
  if (path[0] === 'limits') return Object.keys(limitsShape)
  const action = (valueAt(document, path) as { action?: unknown } | undefined)?.action
  const fault = FAULTS.find(({ shape }) => shape.action.value === action)
  return Object.keys(fault?.shape ?? parts)
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document
  for (const step of path) value = (value as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[step]
  return value
}
