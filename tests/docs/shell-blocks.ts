import { type Block, blocksOf, pages, prose } from './markdown.ts'

/*
 * What a reader pastes into a terminal is run by a test, or says why not. The comment above a block says which:
 *
 *   <!-- run: says WORDS -->        here: it ends with 0, and its output has the words
 *   <!-- run until: WORDS -->       here: it is stopped when its output has the words
 *   <!-- run by tests/… -->         by that test
 *   <!-- not run: WHY -->
 *
 * One of the last two, with `commands of this page: ` before it, holds for all blocks of a page that have none of their own.
 */

export type Plan =
  | { readonly kind: 'run'; readonly words: string }
  | { readonly kind: 'until'; readonly words: string }
  | { readonly kind: 'elsewhere'; readonly test: string }
  | { readonly kind: 'never'; readonly why: string }

export const SHELLS: readonly string[] = ['sh', 'bash', 'shell', 'console']

export interface ShellBlock extends Block {
  /** `undefined` when nobody has said. */
  readonly plan: Plan | undefined
}

export function planOf(remark: string): Plan | undefined {
  const [, words] = /^run: says (.+)$/.exec(remark) ?? []
  if (words !== undefined) return { kind: 'run', words }
  const [, end] = /^run until: (.+)$/.exec(remark) ?? []
  if (end !== undefined) return { kind: 'until', words: end }
  const [, test] = /^run by (\S+)$/.exec(remark) ?? []
  if (test !== undefined) return { kind: 'elsewhere', test }
  const [, why] = /^not run: (.+)$/.exec(remark) ?? []
  return why === undefined ? undefined : { kind: 'never', why }
}

/** Lines of an environment file, `NAME=value`; where a command follows the value it is a script. */
export function isEnvironment({ text }: Block): boolean {
  return text.split('\n').every((line) => /^[A-Z][A-Z0-9_]*=/.test(line) && !/\s(npx|snowhat|docker|sudo)\s/.test(line))
}

/** The scripts of all pages; blocks that only show what a program prints have no language. */
export function shellBlocks(): ShellBlock[] {
  return pages().flatMap((page) => {
    const [, ofPage = ''] = /^<!-- commands of this page: (.*) -->$/m.exec(prose(page)) ?? []
    return blocksOf(page)
      .filter((block) => SHELLS.includes(block.language) && !isEnvironment(block))
      .map((block) => ({ ...block, plan: planOf(block.remark) ?? planOf(ofPage) }))
  })
}
