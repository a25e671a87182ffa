import { render, TemplateError } from '../templates/render.ts'
import { parseTemplate, TemplateSyntaxError, UnknownTemplate } from '../templates/syntax.ts'
import type { ComponentCase } from './case.ts'
import { isText } from './finding.ts'

/** What may be chosen from, or may happen: at least one. */
export function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isText)
}

/** What the state template makes of each payload that may come. Those it cannot read are C17's. */
export function renderedSamples({ own, facts }: ComponentCase): string[] {
  const samples = facts?.samples ?? []
  if (own.value_template === undefined) return [...samples]
  return samples.flatMap((sample) => {
    try {
      return [render(parseTemplate(String(own.value_template)), sample).text]
    } catch (error) {
      if ([TemplateError, TemplateSyntaxError, UnknownTemplate].some((known) => error instanceof known)) return []
      throw error
    }
  })
}
