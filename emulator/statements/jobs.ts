import type { Statement, Token, TokenReader } from '../statement-text.ts'
import type { Definition, NameContext } from './definition.ts'
import { creationOf, skipIfExists, takeName } from './names.ts'
import { textFrom } from './objects.ts'
import { takeProperties } from './properties.ts'

/** `CREATE ALERT … IF (EXISTS (query)) THEN statement` [documented]. */
export function readAlert(
  reader: TokenReader,
  context: NameContext,
  replace: boolean,
  statement: Statement,
): Definition {
  const head = takeHead(reader, context, replace, 'IF')
  const outer = reader.takeParenthesized()
  const [exists, open] = outer
  if (exists?.text.toUpperCase() !== 'EXISTS' || open?.text !== '(') throw new SyntaxError('expected IF (EXISTS (…))')
  const condition = textOfTokens(outer.slice(2, -1), statement)
  reader.expect('THEN')
  const action = textFrom(reader, statement)
  return { kind: 'job', what: 'ALERT', ...head, condition, action }
}

/** Of a job all up to the word, which is taken too, behind which it says when or what. */
function takeHead(reader: TokenReader, context: NameContext, replace: boolean, word: string) {
  const creation = creationOf(replace, reader)
  const name = takeName(reader, context)
  const properties = takeProperties(reader, word)
  reader.expect(word)
  return { name, creation, properties }
}

/** `CREATE TASK … AS statement` [documented]. */
export function readTask(
  reader: TokenReader,
  context: NameContext,
  replace: boolean,
  statement: Statement,
): Definition {
  const head = takeHead(reader, context, replace, 'AS')
  return {
    kind: 'job',
    what: 'TASK',
    ...head,
    condition: undefined,
    action: textFrom(reader, statement),
  }
}

export function readAlterJob(reader: TokenReader, context: NameContext, what: 'ALERT' | 'TASK'): Definition {
  skipIfExists(reader)
  const name = takeName(reader, context)
  if (reader.skip('RESUME')) return { kind: 'switch-job', what, name, on: true }
  if (reader.skip('SUSPEND')) return { kind: 'switch-job', what, name, on: false }
  throw new SyntaxError(`the emulator only resumes and suspends ${what.toLowerCase()}s`)
}

function textOfTokens(tokens: readonly Token[], statement: Statement): string {
  const start = statement.tokens[0]?.at ?? 0
  const [first] = tokens
  const last = tokens.at(-1)
  if (first === undefined || last === undefined) return ''
  return statement.text.slice(first.at - start, last.at - start + last.text.length)
}
