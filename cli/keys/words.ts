/** Names and values in two columns. */
export function table(print: (line: string) => void, lines: Readonly<Record<string, string>>): void {
  const width = Math.max(...Object.keys(lines).map(({ length }) => length))
  for (const [name, value] of Object.entries(lines)) print(`${name.padEnd(width)}  ${value}`)
}
