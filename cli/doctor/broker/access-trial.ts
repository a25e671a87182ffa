import type { Examination } from '../examination.ts'
import type { AccessRule } from './access-rules.ts'
import { type BrokerProbe, isPublishRefused } from './broker-probe.ts'
import { messagesAfter } from './settle.ts'

/** What trying showed; `unknown` where MQTT 3.1.1 makes a refusal look like success. */
export interface Trial {
  readonly rule: AccessRule
  readonly mayWrite: boolean | 'unknown'
  /** It came back. */
  readonly cameBack: boolean
}

/** Sends what the rules are about, and listens for it. Nothing is retained. */
export async function tryAccess(
  probe: BrokerProbe,
  rules: readonly AccessRule[],
  examination: Examination,
  signal: AbortSignal,
): Promise<Trial[]> {
  const { link, protocol } = probe
  const written = new Map<AccessRule, boolean | 'unknown'>()
  const readable: string[] = []
  const back = await messagesAfter(
    probe,
    async () => {
      for (const { topic } of rules)
        await link.subscribe([topic]).then(
          () => readable.push(topic),
          () => undefined,
        )
      for (const rule of rules)
        written.set(
          rule,
          await link.publish(rule.topic, rule.payload).then(
            () => (protocol === '5' ? true : 'unknown'),
            (error: unknown) => {
              if (isPublishRefused(error)) return false
              throw error
            },
          ),
        )
    },
    examination,
    signal,
  )
  if (link.connected && readable.length > 0) await link.unsubscribe(readable)
  return rules.map((rule) => {
    // What is retained there comes as well, and says nothing of what was sent.
    const cameBack = back.some(({ topic, retain }) => topic === rule.topic && !retain)
    return { rule, mayWrite: cameBack ? true : (written.get(rule) ?? 'unknown'), cameBack }
  })
}
