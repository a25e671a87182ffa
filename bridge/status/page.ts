/** The fleet at a glance: one table that renews itself. No build step, nothing from the internet. */
export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Snowhat</title>
<style>
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 15%, transparent); }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  h1 { font-size: 1.4rem; margin: 0 0 .2rem; }
  p { margin: 0 0 1.2rem; opacity: .75; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { padding: .45rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
  th { font-weight: 600; color: color-mix(in srgb, currentColor 75%, transparent); }
  th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
  th:first-child, td:first-child { position: sticky; left: 0; background: Canvas; }
  .bad { color: light-dark(#b3261e, #ff8a80); font-weight: 600; }
  @media (max-width: 600px) { body { margin: 1rem auto; padding: 0 .5rem; } th, td { padding: .4rem .35rem; } }
</style>
<h1>Snowhat</h1>
<p id="chain">…</p>
<div class="scroll"><table>
  <thead><tr><th>device<th>channel<th>missing<th>waiting<th>lag<th>committed<th>received<th>rejected</tr></thead>
  <tbody id="devices"></tbody>
</table></div>
<script type="module">
const cell = (text, bad) => Object.assign(document.createElement('td'), { textContent: text, className: bad ? 'bad' : '' })
async function show() {
  try {
    const [health, devices] = await Promise.all(['api/health', 'api/devices'].map(async (path) => (await fetch(path)).json()))
    document.getElementById('chain').textContent =
      'broker ' + (health.mqtt_connected ? 'connected' : 'away') + ' · ' + health.devices + ' devices · '
      + health.rows_waiting + ' rows waiting · Snowflake ' + (health.problems.length ? health.problems.join(', ') : 'takes rows')
    document.getElementById('devices').replaceChildren(...devices.map((device) => {
      const { counters } = device.ledger
      const row = document.createElement('tr')
      row.append(cell(device.hostname), cell(device.lane, ['blocked', 'held'].includes(device.lane)),
        cell(counters.undeclared_gaps, counters.undeclared_gaps > 0), cell(device.ledger.lag_rows),
        cell(device.ledger.lag_seconds.toFixed(1) + ' s'), cell(device.readings_committed), cell(counters.received),
        cell(counters.rejected, counters.rejected > 0))
      return row
    }))
  } catch {
    document.getElementById('chain').textContent = 'the bridge does not answer'
  }
  setTimeout(show, 1000)
}
show()
</script>
</html>
`
