import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { describe, it, onTestFinished } from 'vitest'
import { patient } from './eventually.ts'

const PATH = process.env.SNOWHAT_CHROMIUM ?? '/usr/bin/chromium'

/** Tests that look at the page with a real browser; skipped where there is none, and a line says so. */
export function describeWithChromium(name: string, tests: () => void): void {
  if (existsSync(PATH)) describe(name, tests)
  else if (process.env.SNOWHAT_REQUIRE_CHROMIUM === '1')
    it(`${name}: has Chromium`, () => {
      throw new Error(`SNOWHAT_REQUIRE_CHROMIUM=1, and there is no ${PATH}`)
    })
  else describe.skip(`${name} (SKIPPED: no ${PATH}; SNOWHAT_CHROMIUM names another)`, tests)
}

/** As root its sandbox cannot be had, and containers have a small /dev/shm. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: PATH,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--enable-precise-memory-info'],
  })
}

/** A page, until the test is over, and everything it should not have done: errors on its console, requests to another origin. */
export interface WatchedPage {
  readonly page: Page
  readonly faults: string[]
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(patient(30_000))
  const faults: string[] = []
  page.on('console', (message) => {
    // That a connection was refused is what a page sees of a bridge that restarts.
    if (['error', 'warning'].includes(message.type()) && !/net::ERR_/.test(message.text())) faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) faults.push(`a request to ${request.url()}`)
  })
  onTestFinished(async ({ task }) => {
    // What a person would look at first. Not `onTestFailed`: that comes when everything is closed.
    if (task.result?.state === 'fail') {
      const text = await page.innerText('body', { timeout: 5_000 }).catch((error: unknown) => `not readable: ${error}`)
      process.stderr.write(`the page at ${page.url()}, its faults: ${JSON.stringify(faults)}\n${text}\n`)
    }
    await context.close()
  })
  await page.goto(url)
  return { page, faults }
}

/** How far it can be scrolled to the side, pixels. */
export function sideways(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth')
}
