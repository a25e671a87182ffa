import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { render, TemplateError } from './templates/render.ts'
import { fieldsOf, isBalanced, parseTemplate, TemplateSyntaxError, UnknownTemplate } from './templates/syntax.ts'

const rendered = (source: string, value: string | number) => render(parseTemplate(source), value)

describe('templates', () => {
  it.each([
    ['{{ value }}', '7', '7'],
    ['{{ value_json.a }}', '{"a":21.5}', '21.5'],
    ['{{ value_json.a.b }}', '{"a":{"b":"x"}}', 'x'],
    ["{{ value_json['a b'] }}", '{"a b":1}', '1'],
    ['{{ value_json.a[1] }}', '{"a":[1,2]}', '2'],
    ['{{ value_json.a }}', '{"a":null}', 'None'],
    ['{{ value_json.a }}', '{"a":true}', 'True'],
    ["{{ 'ON' if value_json.a else 'OFF' }}", '{"a":[]}', 'OFF'],
    ["{{ 'ON' if value_json.a else 'OFF' }}", '{"a":["x"]}', 'ON'],
    ["{{ 'ON' if value_json.a else 'OFF' }}", '{"a":{}}', 'OFF'],
    ["{{ 'ON' if value_json.a else 'OFF' }}", '{"a":"0"}', 'ON'],
    ['{{ value_json.a | tojson }}', '{"a":{"z":1,"b":[null,true]}}', '{"b": [null, true], "z": 1}'],
    ['{{ {"text": value} | tojson }}', `it's <b>`, '{"text": "it\\u0027s \\u003cb\\u003e"}'],
    ['{"a": {"b": {{ value }}}}', '3', '{"a": {"b": 3}}'],
    ["{{ '}}' }}", '', '}}'],
    ['  no expression ', '', 'no expression'],
  ])('%s of %s is %s', (source, value, text) => {
    expect(rendered(source, value)).toEqual({ text, warnings: [] })
  })

  it('warn of what is missing, and raise where something is wanted of it', () => {
    expect(rendered('{{ value_json.a }}', '{}')).toMatchObject({ text: '', warnings: [expect.stringContaining("'a'")] })
    expect(rendered("{{ 'x' if value_json.a else 'y' }}", '{}')).toMatchObject({
      text: 'y',
      warnings: [expect.anything()],
    })
    expect(rendered('{{ value_json.a.b }}', '{"a":null}')).toMatchObject({ text: '', warnings: [expect.anything()] })
    expect(() => rendered('{{ value_json.a.b }}', '{}')).toThrow(TemplateError)
    expect(() => rendered('{{ value_json.a }}', 'no JSON')).toThrow(TemplateError)
    expect(() => rendered('{{ value_json.a | tojson }}', '{}')).toThrow(TemplateError)
  })

  it.each([
    '{% if value %}1{% endif %}',
    '{# note #}{{ value }}',
    '{{ states("sensor.x") }}',
    '{{ value | float }}',
    '{{ value | tojson | length }}',
    '{{ value_json.a + 1 }}',
    '{{ value == 1 }}',
    '{{ -1 }}',
    '{{- value -}}',
    '{{ value_json.items }}',
    '{{ value_json[value] }}',
    "{{ 'x' if not value else 'y' }}",
  ])('%s is not known here, and nobody guesses', (source) => {
    expect(() => parseTemplate(source)).toThrow(UnknownTemplate)
  })

  it('do not print a dictionary as if it were JSON', () => {
    expect(() => rendered('{{ value_json.a }}', '{"a":{}}')).toThrow(UnknownTemplate)
  })

  it.each([
    '{{ value',
    '{{ value }',
    '{{ value) }}',
    '{{ {"a": } }}',
    '{{ }}',
    "{{ 'x' if value else }}",
    '{{ [1, 2 }}',
  ])('%s is no template', (source) => {
    expect(() => parseTemplate(source)).toThrow(TemplateSyntaxError)
  })

  it('tell which fields they read, and whether their braces match', () => {
    const fieldsIn = (source: string) => [...fieldsOf(parseTemplate(source))]
    expect(fieldsIn("{{ value_json.a.b if value_json['c'] else {'x': value_json.d} | tojson }}")).toEqual([
      'c',
      'a.b',
      'd',
    ])
    expect(fieldsIn('{{ value }}')).toEqual([])
    expect(fieldsIn('{{ value_json | tojson }}')).toEqual([''])
    expect(isBalanced(parseTemplate('{"a": {{ value }}}'))).toBe(true)
    expect(isBalanced(parseTemplate('value_json.a }}'))).toBe(false)
    expect(isBalanced(parseTemplate('{ {value_json.a }'))).toBe(false)
  })

  it('carry any text through JSON', () => {
    const anyLetter = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code))
    fc.assert(
      fc.property(fc.string({ unit: anyLetter }), (text) => {
        expect(JSON.parse(rendered('{{ {"text": value} | tojson }}', text).text)).toEqual({ text })
      }),
    )
  })
})
