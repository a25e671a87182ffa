import {
  fieldsOf,
  isBalanced,
  parseTemplate,
  type Template,
  TemplateSyntaxError,
  UnknownTemplate,
} from '../templates/syntax.ts'
import type { Case, ComponentCase, TopicFacts } from './case.ts'
import { availabilityOf } from './document.ts'
import type { Fields, Report } from './finding.ts'

/** The topic whose payload a template gets. */
const TOPIC_OF: Readonly<Record<string, string>> = {
  value_template: 'state_topic',
  last_reset_value_template: 'state_topic',
  json_attributes_template: 'json_attributes_topic',
  latest_version_template: 'latest_version_topic',
}

/** C17: what does not parse costs the entity; what reads a missing field costs a line in the log per message. */
export function judgeTemplates(the: ComponentCase, report: Report): void {
  const { own, merged, options, platform } = the
  for (const [key, topicKey] of Object.entries(TOPIC_OF)) {
    if (!(key in own)) continue
    const topic = merged[platform === 'device_automation' ? 'topic' : topicKey]
    if (topic === undefined) report('C17', 'own', `${key} without ${topicKey}`)
    else judgeReading(key, own[key], options.topics, String(topic), report)
  }
  judgeAvailabilityTemplates(own, the, report)
  const command = 'command_template' in own ? parsed('command_template', own.command_template, report) : undefined
  if (command && fieldsOf(command).size > 0) report('C17', 'own', 'a command has no value_json')
}

/** Those of the root, or of a component that sets its own. One that does not parse loses what it is in. */
export function judgeAvailabilityTemplates(fields: Fields, the: Case, report: Report): void {
  const reportHere: Report = (rule, level, message) =>
    report(rule, level === 'component' && fields === the.root ? 'document' : level, message)
  for (const { topic, value_template } of availabilityOf(fields))
    if (value_template !== undefined)
      judgeReading('the template of an availability', value_template, the.options.topics, String(topic), reportHere)
}

/** The template, or nothing and a finding. */
function parsed(what: string, source: unknown, report: Report): Template | undefined {
  if (typeof source !== 'string') {
    report('C17', 'component', `${what} is no text`)
    return undefined
  }
  try {
    const template = parseTemplate(source)
    if (!isBalanced(template)) report('C17', 'own', `${what} opens or closes a brace too often: ${source}`)
    return template
  } catch (error) {
    if (error instanceof TemplateSyntaxError) report('C17', 'component', `${what}: ${error.message}`)
    else if (error instanceof UnknownTemplate) report('C17', 'own', `${what} is unknown to the judge: ${error.message}`)
    else throw error
    return undefined
  }
}

function judgeReading(
  what: string,
  source: unknown,
  topics: Readonly<Record<string, TopicFacts>> | undefined,
  topic: string,
  report: Report,
): void {
  const template = parsed(what, source, report)
  if (!template) return
  if (template.parts.every((part) => typeof part === 'string'))
    report('C17', 'own', `${what} is the same whatever comes: ${source}`)
  if (!topics) return
  const declared = topics[topic]?.fields
  for (const field of fieldsOf(template)) {
    if (!declared) report('C17', 'own', `${what} reads ${field}, and nobody says what ${topic} carries`)
    else if (field !== '' && !declared.some((one) => one === field || one.startsWith(`${field}.`)))
      report('C17', 'own', `${what} reads ${field}, which ${topic} does not carry`)
  }
}
