import type { Output } from './command.ts'

/** Anything that takes text: a stream, or an array in a test. */
export interface TextSink {
  write(text: string): unknown
}

/** Control characters as escapes: text from elsewhere must not move the cursor of a terminal or begin a line of its own. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** Results of a command, written to `sink`. */
export function outputTo(sink: TextSink): Output {
  return {
    line: (text = '') => void sink.write(`${text}\n`),
    json: (value) => void sink.write(`${JSON.stringify(value, undefined, 2)}\n`),
  }
}

/** Rows under a heading, in columns as wide as their widest cell. No trailing blanks. */
export function formatTable(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heading, ...rows.map((row) => row.map(printable))]
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
