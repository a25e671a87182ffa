import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { MONITORING } from '../../support/prometheus.ts'

/*
 * The part of Grafana's dashboard model (schemaVersion 39) these dashboards use, strictly: a key that is not listed here was
 * not looked at by anybody. Grafana's own schema is CUE and not to be had as a package.
 */
const datasource = z.strictObject({ type: z.string(), uid: z.enum(['prometheus', 'snowflake']) })

const promTarget = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource,
  expr: z.string().min(1),
  legendFormat: z.string(),
  range: z.boolean(),
  instant: z.boolean(),
  format: z.literal('table').optional(),
})

/** Of michelin-snowflake-datasource, and of Grafana's own plugin. */
const michelinTarget = z.strictObject({
  refId: z.string(),
  datasource,
  queryText: z.string().min(1),
  queryType: z.enum(['time series', 'table']),
  timeColumns: z.array(z.string()),
  fillMode: z.literal('null'),
})
const grafanaTarget = z.strictObject({
  refId: z.string(),
  datasource,
  rawSql: z.string().min(1),
  format: z.union([z.literal(0), z.literal(1)]),
})

const gridPos = z.strictObject({
  x: z.number().int().min(0).max(23),
  y: z.number().int().min(0),
  w: z.number().int().min(1).max(24),
  h: z.number().int().min(1),
})

const row = z.strictObject({
  id: z.number().int(),
  type: z.literal('row'),
  title: z.string().min(1),
  collapsed: z.literal(false),
  gridPos,
  panels: z.array(z.never()),
})

const step = z.strictObject({ color: z.string(), value: z.number().nullable() })
const chart = z.strictObject({
  id: z.number().int(),
  type: z.enum(['timeseries', 'stat', 'gauge', 'table', 'state-timeline']),
  title: z.string().min(1),
  description: z.string().min(1),
  datasource,
  gridPos,
  targets: z.array(z.union([promTarget, michelinTarget, grafanaTarget])).min(1),
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      unit: z.string(),
      min: z.number().optional(),
      color: z.strictObject({ mode: z.enum(['thresholds', 'palette-classic']) }),
      thresholds: z.strictObject({ mode: z.literal('absolute'), steps: z.array(step).min(1) }),
      mappings: z.array(
        z.strictObject({
          type: z.literal('value'),
          options: z.record(z.string(), z.strictObject({ text: z.string(), color: z.string(), index: z.number() })),
        }),
      ),
      custom: z.record(z.string(), z.unknown()).optional(),
    }),
    overrides: z.array(
      z.strictObject({
        matcher: z.strictObject({ id: z.literal('byName'), options: z.string() }),
        properties: z.array(z.strictObject({ id: z.string(), value: z.unknown() })),
      }),
    ),
  }),
  options: z.record(z.string(), z.unknown()),
  transformations: z
    .array(z.strictObject({ id: z.enum(['merge', 'organize']), options: z.record(z.string(), z.unknown()) }))
    .optional(),
})

const variable = z.strictObject({
  name: z.string(),
  type: z.literal('query'),
  label: z.string(),
  datasource,
  query: z.union([z.string(), z.record(z.string(), z.unknown())]),
  definition: z.string(),
  refresh: z.union([z.literal(1), z.literal(2)]),
  sort: z.number(),
  multi: z.boolean(),
  includeAll: z.boolean(),
  allValue: z.string().optional(),
  current: z.strictObject({ text: z.string(), value: z.string() }),
  options: z.array(z.never()),
  hide: z.literal(0),
  skipUrlSync: z.boolean(),
})

export const dashboardSchema = z.strictObject({
  uid: z.string().max(40),
  title: z.string().startsWith('Snowhat: '),
  description: z.string().min(1),
  tags: z.array(z.string()),
  schemaVersion: z.literal(39),
  version: z.number(),
  editable: z.boolean(),
  timezone: z.literal('browser'),
  refresh: z.string().regex(/^\d+[sm]$/),
  time: z.strictObject({ from: z.string().startsWith('now-'), to: z.literal('now') }),
  templating: z.strictObject({ list: z.array(variable) }),
  annotations: z.strictObject({ list: z.array(z.never()) }),
  links: z.array(z.record(z.string(), z.unknown())),
  panels: z.array(z.union([row, chart])).min(1),
})

export type Dashboard = z.infer<typeof dashboardSchema>

/** Shown with Prometheus alone. */
export const PIPELINE_FILES = ['fleet', 'pipeline'].map((name) => `grafana/dashboards/${name}.json`)
/** What asks Snowflake: each once per plugin. */
const perPlugin = (name: string) => ['michelin', 'grafana'].map((plugin) => `grafana/snowflake/${plugin}/${name}.json`)
export const READINGS_FILES = perPlugin('readings')
export const PHONES_FILES = perPlugin('phones')

export function readDashboard(file: string): Dashboard {
  return dashboardSchema.parse(JSON.parse(readFileSync(join(MONITORING, file), 'utf8')))
}

/** Every query of a dashboard with the panel it belongs to; those of its variables too. */
export function queriesOf(dashboard: Dashboard): { readonly panel: string; readonly text: string }[] {
  const panels = dashboard.panels.flatMap((panel) =>
    panel.type === 'row'
      ? []
      : panel.targets.map((target) => ({
          panel: panel.title,
          text: 'expr' in target ? target.expr : 'rawSql' in target ? target.rawSql : target.queryText,
        })),
  )
  const variables = dashboard.templating.list
    .filter(({ datasource: { uid } }) => uid === 'snowflake')
    .map(({ definition, label }) => ({ panel: `variable ${label}`, text: definition }))
  return [...panels, ...variables]
}

/** As Grafana sends it when all devices are chosen. */
export function promQl(expression: string): string {
  return expression.replaceAll('$__rate_interval', '10s').replaceAll('$device', '.+')
}
