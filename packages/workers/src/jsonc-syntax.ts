import { printParseErrorCode } from 'jsonc-parser'
import type { ParseError } from 'jsonc-parser'
import { isToken, MASK } from './shown-value.ts'

/** What a parser expects where it gives up, in words; the rest of its codes say it well enough. */
const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: 'expected JSON, where names and texts stand in double quotes',
  InvalidNumberFormat: 'expected a number',
  PropertyNameExpected: 'expected a key in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected ":"',
  CommaExpected: 'expected "," or the closing bracket',
  CloseBraceExpected: 'expected "}"',
  CloseBracketExpected: 'expected "]"',
  EndOfFileExpected: 'expected the end of the file',
  UnexpectedEndOfComment: 'expected the end of the comment, */',
  UnexpectedEndOfString: 'expected the end of the text, "',
  InvalidCharacter: 'expected no control characters, which are written as \\n or \\u0000',
  InvalidEscapeCharacter: 'expected an escape that JSON has: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000',
  InvalidUnicode: 'expected four hexadecimal digits after \\u',
}

/** What stands at the place of a syntax error: a word of it, for a secret may not be far. */
function wordAt(text: string, offset: number): string {
  const word = /^(?:"?[\w$.-]{1,20}|.)/su.exec(text.slice(offset))?.[0] ?? ''
  if (word.trim() === '') return offset >= text.trimEnd().length ? 'the end of the file' : 'the end of the line'
  return isToken(word.replace('"', '')) ? MASK : word
}

/** What is wrong with the form of a JSON text, in words: what is expected and what stands there. */
export function syntaxProblem(text: string, { error, offset }: ParseError): string {
  const code = printParseErrorCode(error)
  return `${SYNTAX[code] ?? code}, got ${wordAt(text, offset)}`
}
