import { SnowhatError } from '../../src/errors.ts'

/** Home Assistant refuses a whole device document for an address it cannot link to. Empty is none. */
export function checkPageUrl(url: string): void {
  const isPage = URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol)
  if (url !== '' && !isPage)
    throw new SnowhatError('E_CONFIG_INVALID', `http.url ${url} is no address of a page`, {
      hint: 'write it as people open it, such as http://nas:8080',
    })
}
