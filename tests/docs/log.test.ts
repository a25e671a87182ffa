import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const source = ['bridge', 'src']
  .flatMap((part) => readdirSync(join(ROOT, part), { recursive: true }).map((file) => join(ROOT, part, String(file))))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n')
const catalogue = readFileSync(join(ROOT, 'docs/bridge.md'), 'utf8').split('## What the log says')[1]?.split('\n## ')[0]
const sentences = [...(catalogue ?? '').matchAll(/^\| ([^|]+) \| (?:info|warn|error|fatal) \|/gm)].map(
  (row) => row[1] ?? '',
)

it('the catalogue of log lines is not empty', () => {
  expect(sentences.length).toBeGreaterThan(20)
})

it.each(sentences)('a bridge writes: %s', (sentence) => {
  expect(source).toContain(`'${sentence}'`)
})
