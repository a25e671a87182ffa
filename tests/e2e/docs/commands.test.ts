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

  it('and every command has a help that shows its options and examples', async () => {
    const { output } = await workspace.paste('snowhat --help')
    const commands = [...output.matchAll(/^ {2}snowhat (\w+)/gm)].map(([, name = '']) => name)
    expect(commands).toContain('bridge')
    for (const name of commands) {
      const help = await workspace.paste(`snowhat ${name} --help`)
      expect(help.code, name).toBe(0)
      expect(help.output, name).toMatch(/Examples.*Options.*--config FILE/s)
    }
  })
})
