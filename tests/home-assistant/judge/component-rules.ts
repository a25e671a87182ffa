import type { Case, ComponentCase, TopicFacts } from './case.ts'
import { withSharedOptions } from './document.ts'
import { judgePlatform, judgeSharedOptions } from './document-rules.ts'
import { type Fields, isFields, isText, type Report } from './finding.ts'
import { PLATFORM_RULES } from './platform-rules.ts'
import { DEVICE_CLASSES } from './tables/device-classes.ts'
import { COMMANDED_PLATFORMS, PLATFORMS } from './tables/platforms.ts'
import { judgeTemplates } from './template-rules.ts'
import { untidiness } from './topics.ts'

/** D6, D7, D10 and C1 to C23. */
export function judgeComponent(own: Fields, { root, options }: Case, report: Report): void {
  if ('~' in own) report('1.3', 'own', '~ is not used in device documents')
  if (!judgePlatform(own, report)) return
  const platform = String(own.platform)
  const table = PLATFORMS.get(platform)
  if (!table) {
    report('C2', 'own', `the keys of ${platform} are not in the judge's tables`)
    return
  }
  const merged = withSharedOptions(root, own)
  const facts = options.topics?.[String(merged.state_topic)]
  const the: ComponentCase = { root, options, platform, own, merged, facts }
  for (const key of table.required) if (merged[key] === undefined) report('C1', 'component', `${key} is missing`)
  for (const key of Object.keys(own))
    if (!table.keys.has(key) && key !== '~') report('C2', 'silent', `${key} is no key of ${platform}`)
  judgeTopics(the, report)
  judgeTemplates(the, report)
  if (table.entity) judgeEntity(the, report)
  PLATFORM_RULES.get(platform)?.(the, report)
}

function judgeTopics({ own, merged, root, platform }: ComponentCase, report: Report): void {
  const hasState = PLATFORMS.get(platform)?.keys.has('state_topic') ?? false
  if (hasState && 'state_topic' in root && !('state_topic' in own) && !('value_template' in own))
    report('1.3', 'own', 'inherits state_topic, and so has all of its payload as state')
  judgeSharedOptions(own, 'component', report)
  const alreadySaid = 'availability' in own && 'availability_topic' in own
  const isTheRoots = 'availability' in root && 'availability_topic' in root
  if ('availability' in merged && 'availability_topic' in merged && !alreadySaid && !isTheRoots)
    report('C4', 'component', 'inherits one of availability and availability_topic and sets the other')
  for (const [key, topic] of Object.entries(own)) {
    const fault = /(^|_)topic$/.test(key) && isText(topic) ? untidiness(topic) : undefined
    if (fault !== undefined) report('C16', 'own', `${key} ${fault}`)
  }
}

function judgeEntity(the: ComponentCase, report: Report): void {
  const { own, platform, root, facts } = the
  const { device_class, entity_category, default_entity_id, name, retain } = own
  if (entity_category !== undefined && entity_category !== 'diagnostic' && entity_category !== 'config')
    report('C5', 'component', `entity_category ${entity_category}`)
  if (entity_category === 'config' && ['sensor', 'binary_sensor'].includes(platform))
    report('C5', 'add', `a ${platform} cannot be of the category config`)
  const classes = DEVICE_CLASSES.get(platform)
  if (device_class !== undefined && device_class !== null && classes && !classes.has(device_class))
    report('C6', 'component', `device_class ${device_class} is none of ${platform}`)
  if (default_entity_id !== undefined) {
    const isId = typeof default_entity_id === 'string' && /^[a-z_]+\.[a-z0-9_]+$/.test(default_entity_id)
    if (!isId || !default_entity_id.startsWith(`${platform}.`))
      report('C19', 'own', `default_entity_id ${default_entity_id} is no ${platform}.<id>`)
  }
  if (retain !== undefined && retain !== false && COMMANDED_PLATFORMS.has(platform))
    report('C20', 'own', 'a retained command would be executed again by everybody who subscribes later')
  if (own.expire_after !== undefined) judgeExpiry(own.expire_after, facts, report)
  const deviceName = isFields(root.device) ? root.device.name : undefined
  if (isText(name) && isText(deviceName) && name.toLowerCase().startsWith(deviceName.toLowerCase()))
    report('1.7', 'own', `the name ${name} repeats the device's, which Home Assistant puts before it`)
}

/** C18. */
function judgeExpiry(expireAfter: unknown, facts: TopicFacts | undefined, report: Report): void {
  if (!Number.isInteger(expireAfter) || Number(expireAfter) < 0) {
    report('C18', 'component', `expire_after ${expireAfter} is no number of seconds`)
    return
  }
  const { intervalSeconds = 0, retained = false } = facts ?? {}
  if (Number(expireAfter) < 3 * intervalSeconds)
    report('C18', 'own', `expires after ${expireAfter} s, less than three intervals of ${intervalSeconds} s`)
  if (retained) report('C18', 'own', 'a retained state is new at every start of Home Assistant: it never expires')
}
