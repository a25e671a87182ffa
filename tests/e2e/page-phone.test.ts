import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { describeWithChromium, launchChromium, openPage, sideways } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { startBench } from './bench.ts'

/** Minutes of the last hour, the oldest first; a minute without a word is one in which the phone was off. */
const HOUR = [
  ['stationary', 14],
  ['walking', 11],
  ['running', 8],
  ['walking', 4],
  ['', 6],
  ['stationary', 12],
  ['walking', 5],
] as const
/** Of the strip. */
const STEP_MS = 30_000
/** Renewed by hand: SNOWHAT_PICTURES=1. */
const PICTURE = fileURLToPath(new URL('../../docs/images/fleet-page-phone.png', import.meta.url))

describeWithChromium('the fleet page with a phone', () => {
  it('shows what its owner does, and a strip of the last hour with the minutes of each activity', async () => {
    const bench = await startBench()
    onTestFinished(() => bench.close())
    const steps = HOUR.flatMap(([activity, minutes]) => new Array<string>((minutes * 60_000) / STEP_MS).fill(activity))
    const last = Math.floor(Date.now() / STEP_MS)
    const rows: object[] = []
    for (const [i, activity] of steps.entries()) {
      if (activity === '') continue
      const at = (last - steps.length + 1 + i) * STEP_MS
      rows.push({
        stream: 'abcd1234',
        seq: rows.length + 1,
        activity,
        confidence: 0.97,
        avg_magnitude: 3.2,
        window_end: new Date(at).toISOString(),
        sessionId: 'walk-1',
        n_samples: 1_000,
      })
    }
    // As it comes when the way was interrupted for an hour.
    await bench.publishTo('phones/anna/activity', JSON.stringify(rows))
    const received = async () => (await bench.counters('activity.anna')).received
    await eventually('the rows are in the spool', async () => (await received()) === rows.length)

    const browser = await launchChromium()
    onTestFinished(() => browser.close())
    const { page, faults } = await openPage(browser, `http://127.0.0.1:${bench.environment.SNOWHAT_HTTP_PORT}/`)
    const link = page.getByRole('link', { name: 'activity.anna' })
    await link.waitFor()
    const row = page.locator('#rows .row').first()
    const cell = row.locator('.temperature')
    await eventually('what she does', async () => (await cell.innerText()) === 'walking')
    expect(await cell.getAttribute('title')).toMatch(/walking 97\s%/)
    for (const activity of ['stationary', 'walking', 'running'])
      await row.locator(`[data-activity="${activity}"]`).waitFor({ state: 'attached' })

    await link.click()
    await page.getByRole('img', { name: /activity of the last hour/ }).waitFor()
    const legend = await page.locator('.strip-key li').allInnerTexts()
    // A minute may have become an older one meanwhile.
    for (const [activity, minutes] of [
      ['stationary', 26],
      ['walking', 20],
      ['running', 8],
    ] as const) {
      const told = legend.find((line) => line.includes(activity)) ?? ''
      const [, number] = /: (\d+) minutes/.exec(told) ?? []
      expect(Math.abs(Number(number) - minutes), told).toBeLessThanOrEqual(1)
    }
    expect(await sideways(page)).toBe(0)
    if (process.env.SNOWHAT_PICTURES === '1') {
      await page.evaluate(`for (const one of document.querySelectorAll('header *'))
        if (one.children.length === 0) one.textContent = one.textContent.replace(/bridge on \\S+/, 'bridge on nas')`)
      await page.screenshot({ path: PICTURE, fullPage: true })
    }
    expect(faults).toEqual([])
  })
})
