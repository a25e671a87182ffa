import { ChainView } from './chain-view.js'
import { DeviceView } from './device-view.js'
import { Feed } from './feed.js'
import { firstSteps } from './first-steps.js'
import { Fleet } from './fleet.js'
import { FleetTable } from './fleet-table.js'
import { Sparklines } from './sparklines.js'
import { clockTime, counted, write } from './words.js'

/** How long an order stands before rows change places. */
const RESORT_MS = 3_000
/** How often ages are renewed that nothing else renews. */
const TICK_MS = 1_000

const byId = (id) => document.getElementById(id)
const [find, show, sort, fleetPart, stepsPart, devicePart] = [
  'find',
  'show',
  'sort',
  'fleet',
  'first-steps',
  'device',
].map(byId)

const fleet = new Fleet()
const sparklines = new Sparklines(() => draw())
const table = new FleetTable(fleet, sparklines)
const chain = new ChainView()
let device
let isDue = false
let steps = ''

/** Draws with the next frame, however often it is asked for until then. */
function draw() {
  if (isDue) return
  isDue = true
  requestAnimationFrame(() => {
    isDue = false
    render()
  })
}

function render() {
  if (fleet.chain === undefined) return
  const now = fleet.now()
  chain.show(fleet.chain, fleet.devices, now)
  const { host, version } = fleet.chain.health
  write(byId('about'), `bridge on ${host} · version ${version}`)
  device?.show()
  const isEmpty = fleet.complete && fleet.devices.size === 0
  fleetPart.hidden = device !== undefined || isEmpty || fleet.devices.size === 0
  stepsPart.hidden = device !== undefined || !isEmpty
  if (!stepsPart.hidden) showSteps()
  if (fleetPart.hidden) return
  const hostnames = fleet.list({ find: find.value, show: show.value, sort: sort.value })
  table.show(hostnames)
  byId('none').hidden = hostnames.length > 0
  const all = fleet.devices.size
  write(
    byId('count'),
    hostnames.length === all ? counted(all, 'device') : `${hostnames.length} of ${counted(all, 'device')}`,
  )
}

function showSteps() {
  const { broker_url, health } = fleet.chain
  const told = `${broker_url} ${health.mqtt_connected}`
  if (told === steps) return
  steps = told
  stepsPart.replaceChildren(...firstSteps(fleet.chain))
}

/** `#/devices/pi-attic` is the page of a device, all else is the fleet. */
function route() {
  const [, hostname] = /^#\/devices\/([a-z0-9_.-]+)$/.exec(location.hash) ?? []
  device?.close()
  device = undefined
  devicePart.hidden = hostname === undefined
  devicePart.replaceChildren()
  document.title = hostname === undefined ? 'Snowhat' : `${hostname} · Snowhat`
  if (hostname !== undefined) {
    device = new DeviceView(devicePart, hostname, fleet)
    scrollTo(0, 0)
    devicePart.querySelector('h2').focus({ preventScroll: true })
  }
  render()
}

function showConnection(lostAt) {
  if (lostAt !== undefined) fleet.connected = false
  const line = byId('connection')
  line.dataset.state = lostAt === undefined ? 'live' : 'lost'
  write(
    line,
    lostAt === undefined
      ? 'Live'
      : `Not connected to the bridge since ${clockTime(lostAt, Date.now())}; trying again …`,
  )
  document.body.classList.toggle('stale', lostAt !== undefined)
}

for (const control of [find, show, sort]) control.addEventListener('input', draw)
byId('tools').addEventListener('submit', (event) => event.preventDefault())
addEventListener('scroll', draw, { passive: true })
addEventListener('resize', draw)
addEventListener('hashchange', route)
setInterval(() => {
  if (!document.hidden) draw()
}, TICK_MS)
setInterval(() => fleet.resort(), RESORT_MS)

new Feed({
  onBegin: () => {
    fleet.begin()
    sparklines.begin()
  },
  onFleet: (news) => {
    const size = fleet.devices.size
    fleet.take(news)
    for (const tile of news.devices) sparklines.take(tile)
    if (fleet.devices.size !== size || news.gone.length > 0) fleet.resort()
    draw()
  },
  onConnection: showConnection,
})
route()
