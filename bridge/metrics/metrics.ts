import { Registry } from 'prom-client'
import type { BridgeEvents } from '../events.ts'
import type { Gaps } from '../ledger/ledger-of.ts'
import type { Health } from '../status/health.ts'
import { type BridgeGaugeParts, measureBridge } from './bridge-gauges.ts'
import { DeviceMetrics } from './device-metrics.ts'
import { countPipeline } from './pipeline-counters.ts'
import { measureProcess } from './process-metrics.ts'
import type { SnowflakeCalls } from './snowflake-calls.ts'

/** What `/metrics` answers with: the shape of the library's registry. */
export interface Metrics {
  readonly contentType: string
  metrics(): Promise<string>
}

export interface MetricsParts extends BridgeGaugeParts {
  readonly events: BridgeEvents
  readonly calls: SnowflakeCalls
  readonly gaps: (hostname: string) => Gaps | undefined
  readonly mostDevices: number
}

/** A family as the documentation lists it. */
export interface Family {
  readonly name: string
  readonly type: string
  readonly labels: readonly string[]
  readonly help: string
}

/** All metrics of a bridge. What is a state is read when somebody asks; what happens is counted from here on. */
export class BridgeMetrics implements Metrics {
  readonly #registry = new Registry()
  readonly #devices: DeviceMetrics
  readonly #look: () => Health
  #health: Health | undefined

  /** `look` gives the health of the moment. */
  constructor(parts: MetricsParts, look: () => Health) {
    this.#look = look
    measureBridge(parts, () => this.#health ?? look(), this.#registry)
    countPipeline(parts.events, this.#registry)
    parts.calls.register(this.#registry)
    measureProcess(this.#registry)
    this.#devices = new DeviceMetrics(parts)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** In the text format of Prometheus. */
  async metrics(): Promise<string> {
    // Once for all that is made of it.
    this.#health = this.#look()
    const own = await this.#registry.metrics()
    return own + (await this.#devices.text())
  }

  /** In the order of `metrics()`. */
  async families(): Promise<Family[]> {
    const own = (await this.#registry.getMetricsAsJSON()).map(({ name, type, help }) => {
      const { labelNames = [] } = this.#registry.getSingleMetric(name) as { labelNames?: readonly string[] }
      return { name, type: String(type), labels: labelNames.filter((label) => label !== 'le'), help }
    })
    const devices = this.#devices.families.map(({ name, type, help }) => ({ name, type, labels: ['device'], help }))
    return [...own, ...devices]
  }
}
