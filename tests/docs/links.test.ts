import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorsOf, linksOf, pages, rootPath } from './markdown.ts'

/** Addresses of the reader's own machine. */
const OWN = /^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?(\/|$)/

/** What is wrong with a link, or nothing. */
function faultOf(page: string, link: string): string | undefined {
  if (/^[a-z]+:/i.test(link)) return link.startsWith('https://') || OWN.test(link) ? undefined : 'not https'
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : normalize(join(dirname(page), path))
  if (target.startsWith('..')) return 'leaves the repository'
  if (!existsSync(rootPath(target))) return 'is not there'
  if (anchor === undefined) return undefined
  if (!target.endsWith('.md')) return 'an anchor of what is no page'
  return anchorsOf(target).has(anchor) ? undefined : `${target} has no heading for #${anchor}`
}

describe('links', () => {
  it.each(pages())('of %s lead somewhere', (page) => {
    const faults = linksOf(page).flatMap((link) => {
      const fault = faultOf(page, link)
      return fault === undefined ? [] : [`${link}: ${fault}`]
    })
    expect(faults).toEqual([])
  })

  it('reach every page of the documentation from its index', () => {
    const reached = new Set(['README.md', 'docs/README.md'])
    for (const page of reached)
      for (const link of linksOf(page)) {
        const target = normalize(join(dirname(page), link.split('#')[0] ?? ''))
        if (target.endsWith('.md') && existsSync(rootPath(target))) reached.add(target)
      }
    expect(pages().filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([])
  })

  it('are judged: what is wrong is seen', () => {
    expect(faultOf('README.md', 'docs/nowhere.md')).toBe('is not there')
    expect(faultOf('README.md', 'docs/bridge.md#nowhere')).toContain('no heading')
    expect(faultOf('docs/bridge.md', '#health')).toBeUndefined()
    expect(faultOf('docs/bridge.md', 'http://example.org/')).toBe('not https')
    expect(faultOf('docs/bridge.md', '../../elsewhere')).toBe('leaves the repository')
    expect(anchorsOf('docs/bridge.md')).toContain('home-assistant-and-bridgehealth')
  })
})
