import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { serveStatus } from '../../bridge/status/server.ts'
import { silentLog } from '../../src/log.ts'
import { defaultSettings } from '../support/bridge-settings.ts'
import { describeWithChromium, launchChromium, openPage, sideways } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { FakeFleet } from '../support/fake-fleet.ts'
import { type Program, snowhat } from '../support/program.ts'
import { type Bench, startBench } from './bench.ts'

const PHONE = { viewport: { width: 360, height: 740 } }

describeWithChromium('the fleet page', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
  })

  const text = (page: Page, selector: string) => page.locator(selector).first().innerText()

  async function open(url: string, options = {}) {
    return await openPage(browser, url, options)
  }

  /** A page of a fleet that is made up. */
  async function served(fleet: FakeFleet, port = 0) {
    const server = await serveStatus({ ...defaultSettings.http, port }, fleet.source, silentLog())
    onTestFinished(() => server.close())
    return { server, url: `http://127.0.0.1:${server.port}/` }
  }

  async function started(): Promise<{ bench: Bench; url: string; pi: (hostname: string) => Program }> {
    const bench = await startBench()
    onTestFinished(() => bench.close())
    const { SNOWHAT_MQTT_URL = '', SNOWHAT_HTTP_PORT = '' } = bench.environment
    const pi = (hostname: string) =>
      snowhat(['publisher', '-s', '-r', '0.2', '--hostname', hostname], { env: { SNOWHAT_MQTT_URL } })
    return { bench, url: `http://127.0.0.1:${SNOWHAT_HTTP_PORT}/`, pi }
  }

  it('says what to do with no device, shows the first by itself, lives, plots, and outlives the bridge', async () => {
    const { bench, url, pi } = await started()
    const { page, faults } = await open(url)
    await page.getByRole('heading', { name: 'No device yet' }).waitFor()
    const { SNOWHAT_MQTT_URL } = bench.environment
    expect(await text(page, '#first-steps .command code')).toBe(`npx snowhat publisher --mqtt-url ${SNOWHAT_MQTT_URL}`)

    pi('pi-attic')
    await page.getByRole('link', { name: 'pi-attic' }).waitFor()
    await eventually('its temperature', async () => /\d.°C/.test(await text(page, '#rows .temperature')))
    // Not the temperature: a room may keep the same one for a minute.
    const sent = new Set<string>()
    await eventually('what it has sent to grow', async () => sent.add(await text(page, '#rows .sent')).size > 2)
    await eventually('a sparkline', async () => (await page.locator('#rows path').getAttribute('d')) !== null)
    await eventually('rows to get through', async () => (await text(page, '#stages')).includes('rows/s'))
    expect(await text(page, '#rows .badge')).toBe('Well')
    expect(await text(page, '#connection')).toBe('Live')

    await page.getByRole('link', { name: 'pi-attic' }).click()
    await page.getByRole('img', { name: /Temperature of the last hour: from .*°C/ }).waitFor()
    expect(await page.locator('.plot canvas').count()).toBeGreaterThanOrEqual(4)
    await page.getByText('Where its readings are').waitFor()
    await eventually('the last reading', async () => /Pressure\s+[\d.,]+\shPa/.test(await text(page, '.values')))
    expect(await sideways(page)).toBe(0)
    await bench.publish('pi-attic', 'not JSON at all')
    await page.getByText('the payload is not JSON').waitFor()

    bench.bridge.kill('SIGTERM')
    await bench.bridge.ended()
    await eventually('the page to say so', async () =>
      /Not connected to the bridge since \d/.test(await text(page, '#connection')),
    )
    await bench.startBridge()
    await eventually('the page to be live again', async () => (await text(page, '#connection')) === 'Live', 30_000)
    await page.goBack()
    await page.getByRole('link', { name: 'pi-attic' }).waitFor()
    expect(faults).toEqual([])
  })

  it('leads from the trouble to the device, with what to do', async () => {
    const fleet = new FakeFleet(30)
    fleet.alerts = [{ code: 'held', message: 'a device is held (pi-0007)', since: Date.now() - 60_000 }]
    fleet.set('pi-0007', { lane: 'held' })
    const { url } = await served(fleet)
    const { page, faults } = await open(url)
    await page.locator('#problems a', { hasText: 'pi-0007' }).waitFor()
    expect(await text(page, '#rows .name')).toBe('pi-0007')
    expect(await text(page, '#rows .badge')).toBe('Held')
    expect(await page.locator('#verdict').textContent()).toContain('a device is held')
    await page.getByLabel('Show').selectOption('trouble')
    await eventually('one row', async () => (await page.locator('#rows .row').count()) === 1)
    await page.getByLabel('Show').selectOption('')
    await page.getByLabel('Find').fill('0012')
    await eventually('the one row', async () => (await text(page, '#rows .name')) === 'pi-0012')
    expect(await text(page, '#count')).toBe('1 of 30 devices')
    await page.locator('#problems a', { hasText: 'pi-0007' }).click()
    await page.getByText('npx snowhat ledger pi-0007 --resend').waitFor()
    expect(await text(page, '.hold')).toContain("SELECT 1 WHERE hostname = 'pi-0007'")
    expect(await text(page, '.scroll tbody')).toMatch(/aaaaaaaa\s+1 to 9\s+1 to 7\s+4/)
    expect(faults).toEqual([])
  })

  it.each([
    ['light', {}],
    ['dark', { colorScheme: 'dark' }],
    ['on a phone', PHONE],
    ['on a phone, dark', { ...PHONE, colorScheme: 'dark', reducedMotion: 'reduce' }],
  ])('fits and can be read: %s', async (_look, options) => {
    const fleet = new FakeFleet(40)
    fleet.set('pi-with-quite-a-long-name-that-somebody-has-thought-of-one-day', { missing: 3, compensated: true })
    fleet.reachable = false
    const { url } = await served(fleet)
    const { page, faults } = await open(url, options)
    await page.locator('#rows .row').first().waitFor()
    expect(await sideways(page)).toBe(0)
    expect(await contrasts(page)).toEqual([])
    expect(faults).toEqual([])
  })

  it('asks for nothing while its tab is hidden, and goes on when it is seen again', async () => {
    const fleet = new FakeFleet(3)
    const { url } = await served(fleet)
    const { page } = await open(url)
    await eventually('a reader', () => fleet.source.feed.readers === 1)
    const hide = (hidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} });
        document.dispatchEvent(new Event('visibilitychange'))`)
    await hide(true)
    await eventually('no reader', () => fleet.source.feed.readers === 0)
    await hide(false)
    await eventually('a reader again', () => fleet.source.feed.readers === 1)
  })

  it('is usable at once with a thousand devices that all change every second, smooth and small', async () => {
    const fleet = new FakeFleet(1_000)
    const { url } = await served(fleet)
    let beats = 0
    const heart = setInterval(() => {
      beats++
      for (const hostname of fleet.tiles.keys())
        fleet.set(hostname, { temperature: 20 + (beats % 50) / 10, seen_at: Date.now(), measured_at: Date.now() })
    }, 1_000)
    onTestFinished(() => clearInterval(heart))
    const { page, faults } = await open(url)
    await page.locator('#count', { hasText: '1,000 devices' }).waitFor()
    await page.locator('#rows path[d]').first().waitFor({ state: 'attached' })
    const usable = await page.evaluate<number>('performance.now()')
    await page.evaluate(`window.long = []; new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.long.push(duration)
    }).observe({ type: 'longtask' })`)
    const before = beats
    await eventually('ten updates', () => beats >= before + 10)
    const drawn = await page.locator('#rows .row').count()
    await page.evaluate('scrollTo(0, document.body.scrollHeight / 2)')
    await eventually('rows of the middle', async () => /pi-0[45]\d\d/.test(await text(page, '#rows .name')))
    await page.evaluate('scrollTo(0, document.body.scrollHeight)')
    await page.getByRole('link', { name: 'pi-1000' }).waitFor()
    const long = await page.evaluate<number[]>('window.long')
    const session = await page.context().newCDPSession(page)
    await session.send('HeapProfiler.collectGarbage')
    const heap = (await page.evaluate<number>('performance.memory.usedJSHeapSize')) / 1e6
    const worst = Math.max(0, ...long)
    process.stderr.write(
      `1,000 devices: usable ${Math.round(usable)} ms after the request, ${long.length} long tasks (worst ${worst} ms) in 10 updates, ${heap.toFixed(1)} MB of heap, ${drawn} rows drawn\n`,
    )
    // Generous: the machine may be busy. The figures are in docs/fleet-page.md.
    expect(usable).toBeLessThan(10_000)
    expect(worst).toBeLessThan(1_000)
    expect(heap).toBeLessThan(50)
    expect(drawn).toBeLessThan(60)
    expect(faults).toEqual([])
  })
})

/** Texts that stand out too little from what is behind them (WCAG 2.1 AA: 4.5 to 1). */
function contrasts(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    const rgba = (color) => {
      paint.clearRect(0, 0, 1, 1)
      paint.fillStyle = color
      paint.fillRect(0, 0, 1, 1)
      return [...paint.getImageData(0, 0, 1, 1).data]
    }
    const light = ([r, g, b]) => [r, g, b].reduce((sum, v, i) => {
      const c = v / 255
      return sum + [0.2126, 0.7152, 0.0722][i] * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    }, 0)
    const behind = (at) => {
      for (let one = at; one !== null; one = one.parentElement) {
        const color = rgba(getComputedStyle(one).backgroundColor)
        if (color[3] === 255) return color
      }
      return [255, 255, 255]
    }
    const poor = []
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walk.nextNode()) {
      const at = walk.currentNode.parentElement
      if (walk.currentNode.data.trim() === '' || !at.checkVisibility() || at.closest('script, noscript, option')) continue
      const [a, b] = [light(rgba(getComputedStyle(at).color)), light(behind(at))]
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      if (ratio < 4.5) poor.push(at.className + ' ' + walk.currentNode.data.trim() + ' ' + ratio.toFixed(2))
    }
    return poor
  })()`)
}
