import { counted } from '../../../src/counted.ts'
import type { Check } from '../check.ts'
import type { Examination } from '../examination.ts'
import { broken, type Finding, ok, skipped, warn } from '../finding.ts'
import { ownHostname } from '../pi/own-hostname.ts'
import type { Side } from '../sides.ts'
import { accessRules, ruleLine } from './access-rules.ts'
import { type Trial, tryAccess } from './access-trial.ts'

/** Tries what the user may do and what not. A broker that refuses says nothing in MQTT 3.1.1, so all is sent and listened for. */
export const accessCheck: Check = {
  id: 'broker.access-missing',
  needs: ['broker', 'heard'],
  async run(examination, signal) {
    const findings: Finding[] = []
    for (const side of examination.sides) findings.push(...(await triedAs(side, examination, signal)))
    return findings
  },
}

async function triedAs(side: Side, examination: Examination, signal: AbortSignal): Promise<Finding[]> {
  const { settings, topics } = examination
  const user = settings.mqtt.username
  const hostname = side === 'pi' ? await ownHostname(settings) : 'bridge'
  const rules = accessRules(side, topics, hostname, examination.take('heard'))
  const trials = await tryAccess(examination.take('broker'), rules, examination, signal)
  const line = ({ rule }: Trial) => ruleLine(rule, side, user, hostname)
  return [missing(trials, side, user, hostname, line), excess(trials, side)]
}

function missing(
  trials: readonly Trial[],
  side: Side,
  user: string,
  hostname: string,
  line: (trial: Trial) => string,
): Finding {
  const wanted = trials.filter(({ rule }) => rule.must !== 'not write')
  const refused = wanted.filter(({ mayWrite }) => mayWrite === false)
  // Whoever may write in MQTT 5 and hears nothing of it may not read.
  const unheard = wanted.filter(
    ({ rule, mayWrite, cameBack }) => rule.must === 'write and read' && mayWrite === true && !cameBack,
  )
  const unknown = wanted.filter(({ mayWrite }) => mayWrite === 'unknown')
  const lines = [...new Set([...refused, ...unheard].map(line))]
  if (lines.length > 0) {
    const which = [
      ...refused.map(({ rule }) => `may not write ${rule.topic}`),
      ...unheard.map(({ rule }) => `may not read ${rule.topic}`),
    ]
    const name = user === '' ? 'a client without a name' : user
    const isOther = side === 'pi' && user !== '' && user !== hostname
    return broken('broker.access-missing', `${name} ${which.join(', ')}`, {
      why: isOther
        ? `deploy/mosquitto.acl goes by the user's name, and this Pi is ${hostname}`
        : 'the broker drops it without a word',
      fix: isOther
        ? `sign in as ${hostname} (SNOWHAT_MQTT_USERNAME): deploy/mosquitto-users.sh ${hostname} makes that user`
        : `use deploy/mosquitto.acl, or add to the broker's access rules${user === '' ? '' : ` of user ${user}`}: ${lines.join('; ')}; then send it SIGHUP`,
    })
  }
  // A round trip that came back proves both; of the rest 3.1.1 says nothing.
  const isLost = unknown.some(({ rule }) => rule.must === 'write and read')
  if (isLost)
    return broken(
      'broker.access-missing',
      `what is sent to ${unknown.map(({ rule }) => rule.topic).join(', ')} does not come back`,
      {
        why: 'this user may not write there, or may not read; MQTT 3.1.1 does not say which',
        fix: `use deploy/mosquitto.acl, or add to the broker's access rules: ${[...new Set(unknown.map(line))].join('; ')}`,
      },
    )
  if (unknown.length > 0)
    return skipped(
      'broker.access-missing',
      `MQTT 3.1.1 does not tell whether ${unknown.map(({ rule }) => rule.topic).join(', ')} may be written`,
    )
  return ok('broker.access-missing', `${counted(wanted.length, 'topic')} tried, all as they must be`)
}

function excess(trials: readonly Trial[], side: Side): Finding {
  const forbidden = trials.filter(({ rule }) => rule.must === 'not write')
  const wide = forbidden.filter(({ mayWrite }) => mayWrite === true)
  if (wide.length > 0)
    return warn('broker.access-excess', `this user may write ${wide.map(({ rule }) => rule.topic).join(', ')}`, {
      why: `${side === 'pi' ? 'a Pi' : 'the bridge'} that falls into wrong hands can then speak for all the others`,
      fix: 'give the broker users and access rules: docs/broker.md, deploy/mosquitto.acl',
    })
  if (forbidden.some(({ mayWrite }) => mayWrite === 'unknown'))
    return skipped('broker.access-excess', 'MQTT 3.1.1 does not tell what is refused')
  return ok('broker.access-excess', 'this user cannot speak for another Pi')
}
