import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { settingFlags } from '../../cli/arguments.ts'
import { COMMANDS } from '../../cli/main.ts'
import { allSections } from '../../cli/sections.ts'
import { envName } from '../../src/config.ts'
import { FIELDS, type Field } from '../../src/reading.ts'
import type { Setting, SettingKind } from '../../src/setting.ts'
import { metricFamilies } from '../support/metric-families.ts'
import { MONITORING } from '../support/prometheus.ts'

/*
 * Pages of the documentation are written by what they describe. After a change: npx vitest run tests/docs -u
 */

it('the settings page lists every setting: type, default, environment variable, option, meaning', async () => {
  const sections = Object.entries(allSections).map(([name, section]) => {
    const commands = COMMANDS.filter(({ own, uses }) => [own, ...uses].includes(name as keyof typeof allSections))
    const rows = Object.entries(section as Record<string, Setting>).map(([key, setting]) => {
      const path = `${name}.${key}`
      return `| \`${key}\` | ${typeOf(setting)} | ${shown(setting)} | \`${envName(path)}\` | ${optionOf(path, setting)} | ${setting.doc} |`
    })
    return [
      `## ${name}`,
      '',
      `Read by ${commands.map((command) => `\`${command.name}\``).join(', ')}.`,
      '',
      '| setting | type | default | environment | option | meaning |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows,
      '',
    ].join('\n')
  })
  await expect(`${SETTINGS_INTRO}\n${sections.join('\n')}`).toMatchFileSnapshot('../../docs/settings.md')
})

it('the readings page lists every field with its type, unit and meaning, in column order', async () => {
  const rows = (FIELDS as readonly Field[]).map(
    (field) =>
      `| \`${field.key}\` | ${field.kind}${field.nullable ? ' or null' : ''} | ${field.unit ?? ''} | ${field.doc}${field.optional ? ' (optional)' : ''}${field.byBridge ? ' (added by the bridge)' : ''} |`,
  )
  await expect(`${READINGS_INTRO}${rows.join('\n')}\n${READINGS_TOPICS}`).toMatchFileSnapshot('../../docs/readings.md')
})

/** In the words of a person; units that are no part of the type stand in the meaning. */
const TYPES: Readonly<Record<SettingKind, string>> = {
  string: 'text',
  port: 'port',
  count: 'whole number',
  number: 'number',
  boolean: 'true or false',
  duration: 'time',
  list: 'list of texts',
}

function typeOf({ kind, choices, secret }: Setting): string {
  if (secret === true) return 'secret'
  return choices === undefined ? TYPES[kind] : choices.map((choice) => `\`${choice}\``).join(', ')
}

/** Its names on the command line: that of the command whose own it is, or the one the others share. */
function optionOf(path: string, setting: Setting): string {
  if (setting.secret === true) return 'none'
  const flags = COMMANDS.flatMap((command) =>
    settingFlags(command)
      .filter((flag) => flag.path === path)
      .map((flag) => ({ ...flag, isOwn: command.own === path.split('.')[0] })),
  )
  const flag = flags.find(({ isOwn }) => isOwn) ?? flags[0]
  if (flag === undefined) throw new Error(`no command takes ${path}`)
  const names = flag.names.map((name) => (name.length === 1 ? `\`-${name}\`` : `\`--${name}\``))
  return [...names, ...(flag.off === undefined ? [] : [`\`--${flag.off}\``])].join(', ')
}
it('the metrics page lists every metric with its type, labels and meaning, and every alert with what to do', async () => {
  const metrics = (await metricFamilies()).map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help.replaceAll('|', '\\|')} |`,
  )
  const { groups } = parse(readFileSync(join(MONITORING, 'rules.yml'), 'utf8')) as {
    groups: { rules: { alert?: string; expr: string; for?: string; annotations?: { description: string } }[] }[]
  }
  const alerts = groups
    .flatMap(({ rules }) => rules)
    .filter(({ alert }) => alert !== undefined)
    .map((rule) => {
      const lasting = rule.for === undefined ? '' : `, for ${rule.for}`
      return `| \`${rule.alert}\` | \`${rule.expr}\`${lasting} | ${rule.annotations?.description} |`
    })
  await expect(
    `${METRICS_INTRO}${metrics.join('\n')}\n${METRICS_ALERTS}${alerts.join('\n')}\n${METRICS_MONITORING}`,
  ).toMatchFileSnapshot('../../docs/metrics.md')
})

function shown(setting: Setting): string {
  if (setting.kind === 'duration') return setting.default === 0 ? '`0`' : `\`${setting.default / 1000}s\``
  const text = String(setting.default)
  return text === '' ? '' : `\`${text}\``
}

const SETTINGS_INTRO = `# Settings

One YAML or JSON file (\`--config FILE\`) serves every command; its sections are the headings below. Each setting is also an
environment variable, and an option on the command line: without the section's name for a command's own settings
(\`snowhat publisher --hostname\`), with it for the others (\`snowhat publisher --mqtt-url\`). Underscores become hyphens there, and what
is \`true\` by default is switched off with \`no-\` before its name (\`--no-guard\`). The command line wins over the environment, the
environment over the file, the file over the default. The column *option* shows the shorter name, where a command has it.

Secrets are never taken from the command line. Give them as a file: \`mqtt.password_file\`, \`SNOWHAT_MQTT_PASSWORD_FILE\`. A setting
that does not exist is an error that names the nearest one.

Times are written \`500ms\`, \`20s\`, \`5m\`, \`1h\`; a bare number is seconds. Settings whose name ends in \`_ms\` take milliseconds, those in
\`_bytes\` bytes. Lists are separated by commas in the environment and on the command line, and are lists in the file.
\`snowhat demo\` has defaults of its own for some of these; its \`--help\` shows them.
`

const READINGS_INTRO = `# Readings

One JSON object per reading, flat; the keys are the columns of the table. A message on \`sensehat/<hostname>/readings\` is one
object, or an array of at most 200 objects and 128 KiB, oldest first. Numbers are finite. A value that could not be measured is
\`null\`, never 0 and never simulated. Keys the bridge does not know land in the column \`extra\`, so nothing is lost and nothing breaks.

| key | type | unit | meaning |
| --- | --- | --- | --- |
`

const READINGS_TOPICS = `
## Topics

| topic | retained | what |
| --- | --- | --- |
| \`sensehat/<hostname>/readings\` | no | every reading, full rate: the bridge's input |
| \`sensehat/<hostname>/state\` | no | the latest values, for Home Assistant: every 10 s, earlier when something moves |
| \`sensehat/<hostname>/availability\` | yes | \`online\` or \`offline\` (the Will) |
| \`sensehat/<hostname>/info\`, \`…/settings\`, \`…/led\` | yes | version, board, how each chip is, problems; intervals; the light that is the LED matrix |
| \`sensehat/<hostname>/event/joystick_<direction>\` | no | \`{"event_type": …}\`: \`press_start\`, \`press_end\`, \`long_press_start\`, \`long_press_end\` |
| \`sensehat/<hostname>/set/<thing>\` | no | commands: \`led\` (Home Assistant's JSON light), \`message\` (\`{"text": …}\` or the text), \`interval\` and \`state_interval\` (seconds), \`identify\` and \`restart\` (\`PRESS\`). A retained one is not carried out |
| \`sensehat/bridge/availability\`, \`…/info\` | yes | the bridge |
| \`sensehat/bridge/health\` | yes | how it is: [alerts, numbers, cost](bridge.md#home-assistant-and-bridgehealth) |
| \`sensehat/bridge/request/<verb>\`, \`…/response/<verb>\` | no | \`health\`, \`ledger\`, \`flush\`: [asking the bridge](bridge.md#asking-over-mqtt) |
| \`sensehat/bridge/devices/<hostname>\` | yes | the device's ledger: what is spooled, what is committed |
| \`homeassistant/device/<hostname>/sensehat/config\` | yes | the device document Home Assistant discovers; the bridge's additions are on \`…/sensehat_pipeline/config\`, its own device on \`homeassistant/device/sensehat_bridge/config\` |

All messages go at QoS 1. \`sensehat\` and \`homeassistant\` are settings (\`mqtt.base_topic\`, \`mqtt.discovery_prefix\`).

## Publishers of your own

Any program may publish readings. With \`stream\` (8 of \`[0-9a-z]\`, new at every start) and \`seq\` (from 1, without gaps) duplicates are
recognised and gaps are noticed. Without them the bridge numbers the readings itself, and the promise is at-least-once from its
acknowledgement on. What cannot be read is acknowledged, counted, and kept as a dead letter with its reason.
`

const METRICS_INTRO = `# Metrics and monitoring

The bridge answers \`/metrics\` on its page's address (\`http.host\`, \`http.port\`) in the text format of Prometheus. Nothing is set up for
it and nothing runs for it: states are read when somebody asks, and what happens is counted per message, batch and commit, never
per reading. Who can reach the page can read the metrics; they hold hostnames and no secrets.

Counters begin at 0 with the process, which Prometheus expects, but for those of a device that say *kept with the spool*: they go on
after a restart where \`spool.dir\` is set. A value that is not known has no sample.

A scrape of 1,000 devices is 0.8 MB and takes 26 ms of processor time [measured on a busy machine]. A larger fleet is written in
pieces, so readings do not wait for it: 18,000 devices are 15 MB and 0.4 s, of which nothing longer than 0.1 s in one go. The series grow with the devices and with nothing else: no label holds what a server or a message says,
but for Snowflake's codes, of which 60 at most are kept apart.

A publisher has no metrics of its own: its figures come by MQTT (\`info\`, \`state\`), and what it has sent shows here.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
`

const METRICS_ALERTS = `
Histograms have \`_bucket\`, \`_sum\` and \`_count\`.

## Alerts

[deploy/monitoring/rules.yml](../deploy/monitoring/rules.yml) has recording rules (\`snowhat:…\`) and these alerts. The thresholds are a start; the
budget above all is yours to set. Prometheus shows them on its page; to be told, add an Alertmanager, or Grafana's own alerting.
Home Assistant is told by the bridge itself, without any of this ([Running the bridge](bridge.md#home-assistant-and-bridgehealth)).

| alert | when | what to do |
| --- | --- | --- |
`

const METRICS_MONITORING = `
## Prometheus and Grafana

<!-- not run: takes a container engine -->
\`\`\`sh
mkdir -p secrets/grafana
openssl rand -base64 18 > secrets/grafana/password    # readable by user id 1000
docker compose --profile monitoring up -d
\`\`\`

Grafana is on port 3000 (user \`admin\`), Prometheus on port 9090 of the machine itself. Two dashboards are there at once: *fleet*, a line
and a curve for each device, and *pipeline*, the way of the rows from the broker into the table. A Prometheus you have already
needs the job of [deploy/monitoring/prometheus.yml](../deploy/monitoring/prometheus.yml) and the rules; a Grafana you have already takes
the JSON of \`deploy/monitoring/grafana/dashboards\` by import (its Prometheus must have the uid \`prometheus\`).

## Readings from Snowflake in Grafana

Off unless you choose a plugin, because each refresh of an open dashboard wakes a warehouse: an hour of it is an hour of an XS
warehouse, one credit. Give that warehouse \`AUTO_SUSPEND = 60\`. Make a user for Grafana that may only read, with a key of its own
(\`grafana_key.p8\`, made as in [README, "To Snowflake"](../README.md#to-snowflake)).

| plugin | for | in \`.env\` |
| --- | --- | --- |
| \`michelin-snowflake-datasource\` (community, Apache-2.0, unsigned) | any Grafana; not 12 | \`SNOWHAT_GRAFANA_SNOWFLAKE=michelin\` and \`SNOWHAT_GRAFANA_PLUGINS=https://github.com/michelin/snowflake-grafana-datasource/releases/latest/download/snowflake-grafana-datasource.zip;michelin-snowflake-datasource\` |
| \`grafana-snowflake-datasource\` (Grafana Labs) | Grafana Cloud, or Enterprise with a licence | \`SNOWHAT_GRAFANA_SNOWFLAKE=grafana\` and \`SNOWHAT_GRAFANA_PLUGINS=grafana-snowflake-datasource\` |

Both want \`SNOWHAT_SNOWFLAKE_ACCOUNT\`, \`SNOWHAT_GRAFANA_SNOWFLAKE_USER\`, \`SNOWHAT_GRAFANA_SNOWFLAKE_WAREHOUSE\`, and the key as
\`secrets/grafana/snowflake_key\`, written as the plugin's \`datasource.yml\` says. The dashboard *readings* comes with it: values, rows and
their way, gaps, duplicates, rejected rows.

The emulator cannot be asked by these plugins: they speak the protocol of Snowflake's drivers, and it speaks the SQL REST API.

## What was tried, and what was not

| | |
| --- | --- |
| metrics, rules, alerts | a real Prometheus (2.42) looks at a real bridge, \`promtool\` checks metrics and rules, and each alert is tried both ways |
| dashboards on Prometheus | every query is run there; the JSON is checked against the part of Grafana's model they use. Not tried: how Grafana draws them |
| dashboard of readings | every query is run on the emulator, with the plugins' macros put in by hand. Not tried: the plugins, their data sources, a real Snowflake |
| the compose profile | \`docker compose config\`, and that all it mounts is there. Not tried: the images of Prometheus and Grafana |
`
