import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/*
 * As much of Markdown as the documentation uses: headings, links, tables, and fenced blocks with the comment above them.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** What a clone has; whatever else lies in the directory is nobody's page. */
const PAGES = ['README.md', 'CHANGELOG.md', 'sql/README.md', 'bench/README.md']
const FOLDERS = ['docs', 'deploy', 'tests']

/** A page's path, from the root of the repository. */
export function pages(): string[] {
  const below = FOLDERS.flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  )
  return [...PAGES, ...below].sort()
}

export function rootPath(path: string): string {
  return `${ROOT}${path}`
}

export function read(path: string): string {
  return readFileSync(rootPath(path), 'utf8')
}

/** A fenced block. */
export interface Block {
  readonly page: string
  /** Of its first line, counted from 1. */
  readonly line: number
  /** `sh`, `yaml`, …; empty where none is named. */
  readonly language: string
  readonly text: string
  /** The text of an HTML comment on the line above. */
  readonly remark: string
}

const FENCE = /^( *)```(\w*)$/
const REMARK = /^ *<!-- (.*) -->$/

export function blocksOf(page: string, text = read(page)): Block[] {
  const blocks: Block[] = []
  let open: { indent: number; line: number; language: string; remark: string; lines: string[] } | undefined
  let above = ''
  for (const [i, line] of text.split('\n').entries()) {
    const fence = FENCE.exec(line)
    if (open !== undefined && fence !== null && fence[2] === '') {
      const { lines, indent, ...rest } = open
      blocks.push({ page, ...rest, text: lines.map((each) => each.slice(indent)).join('\n') })
      open = undefined
    } else if (open !== undefined) open.lines.push(line)
    else if (fence !== null) {
      const [, indent = '', language = ''] = fence
      open = { indent: indent.length, line: i + 2, language, remark: REMARK.exec(above)?.[1] ?? '', lines: [] }
    }
    above = line
  }
  if (open !== undefined) throw new Error(`${page}: the block of line ${open.line} does not end`)
  return blocks
}

/** A page without what is in its fenced blocks. */
export function prose(page: string): string {
  const isOutside = { now: true }
  return read(page)
    .split('\n')
    .filter((line) => {
      if (FENCE.test(line)) isOutside.now = !isOutside.now
      return isOutside.now
    })
    .join('\n')
}

/** The targets of all links and pictures. */
export function linksOf(page: string): string[] {
  const text = prose(page).replaceAll(/`[^`\n]*`/g, '`')
  return [...text.matchAll(/\]\(([^()\s]+)\)|<(https?:[^>\s]+)>/g)].map(([, inline, bare]) => inline ?? bare ?? '')
}

/** What a link may name behind `#`: of each heading as GitHub makes it, the second of a name with `-1`. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of prose(page).matchAll(/^#{1,6} +(.+)$/gm)) {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    const slug = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`
    anchors.add(anchor)
  }
  return anchors
}

/** The cells of all tables below a heading, up to the next heading of any level; header and rule left out. */
export function rowsBelow(page: string, heading: string): string[][] {
  const [, section] = `\n${prose(page)}\n# `.split(new RegExp(`\n#{1,6} ${heading}\n`))
  if (section === undefined) throw new Error(`${page} has no heading ${heading}`)
  const [text = ''] = section.split(/\n#{1,6} /)
  const lines = text.split('\n')
  return lines
    .filter((line, i) => line.startsWith('| ') && !/^\| ---/.test(line) && !/^\| ---/.test(lines[i + 1] ?? ''))
    .map((line) =>
      line
        .replace(/ \|$/, '')
        .split('|')
        .slice(1)
        .map((cell) => cell.trim()),
    )
}
