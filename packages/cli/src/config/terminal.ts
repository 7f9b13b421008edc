import { createInterface } from 'node:readline/promises'
import { HawserError } from '@hawser/core'
import type { Ask } from './questions.ts'

/** A terminal, or what a test has in place of one. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined }
  /** Not stdout, which is for results. */
  readonly output: NodeJS.WritableStream
}

/**
 * Lends `use` a way to ask, for as long as it takes.
 *
 * @throws {HawserError} `options_invalid` where nobody can answer: no terminal, or its end came first
 */
export async function withTerminal<T>(
  { input, output }: Terminal,
  signal: AbortSignal,
  use: (ask: Ask) => Promise<T>,
): Promise<T> {
  if (input.isTTY !== true) {
    throw new HawserError(
      'options_invalid',
      'stdin is not a terminal, so nobody can be asked: give --yes for the defaults',
    )
  }
  const reader = createInterface({ input, output })
  const { promise: ended, reject } = Promise.withResolvers<never>()
  ended.catch(() => {}) // nobody may be waiting for an answer
  let isOver = false
  const end = (error: HawserError): void => {
    if (isOver) return
    isOver = true
    output.write('\n') // the question has a line of its own
    reject(error)
  }
  reader.once('close', () => end(new HawserError('options_invalid', 'the input ended before the last answer')))
  // A terminal in raw mode sends Ctrl-C here and not as a signal.
  reader.once('SIGINT', () => end(new HawserError('connection_aborted', 'stopped; nothing was written')))
  try {
    return await use(async (question) => (await Promise.race([reader.question(question, { signal }), ended])).trim())
  } finally {
    isOver = true
    reader.close()
  }
}
