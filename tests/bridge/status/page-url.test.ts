import { expect, it } from 'vitest'
import { checkPageUrl } from '../../../bridge/status/page-url.ts'

it.each(['', 'http://nas:8080', 'https://snowhat.example.org/bridge/'])('the address of the page may be %j', (url) => {
  expect(() => checkPageUrl(url)).not.toThrow()
})

it.each(['nas:8080', 'nas', 'ftp://nas', '/page', 'http://'])('the address of the page is never %j', (url) => {
  expect(() => checkPageUrl(url)).toThrow(expect.objectContaining({ code: 'E_CONFIG_INVALID' }))
})
