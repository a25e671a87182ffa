import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { VERSION } from '../../src/version.ts'

it('the version is the one in package.json', async () => {
  const file = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  expect(VERSION).toBe((JSON.parse(file) as { version: string }).version)
})
