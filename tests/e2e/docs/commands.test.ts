import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shellBlocks } from '../../docs/shell-blocks.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

/** The blocks of the pages that are run here, each with the words its output has. */
const blocks = shellBlocks().flatMap(({ page, line, text, plan }) =>
  plan?.kind === 'run' || plan?.kind === 'until' ? [[`${page}:${line}`, text, plan] as const] : [],
)

describe('what the pages tell a reader to paste works', () => {
  const closing: (() => void | Promise<void>)[] = []
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await openWorkspace((close) => closing.push(close))
  })
  afterAll(async () => {
    for (const close of closing.reverse()) await close()
  })

  it.each(blocks)('%s', async (_place, script, { kind, words }) => {
    const { output, code } = await workspace.paste(script, kind === 'until' ? words : undefined)
    expect(output).toContain(words)
    if (kind === 'run') expect(code, output).toBe(0)
  })
})
