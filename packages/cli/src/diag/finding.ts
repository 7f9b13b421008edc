import type { ErrorCode } from '@hawser/core'
import type { Output } from '../command.ts'
import { printable } from '../output.ts'

/** The steps, in the order in which a connector takes them. */
export type DiagStep = 'token' | 'dns' | 'tcp' | 'tls' | 'clock' | 'register' | 'target' | 'ready'

/** What came of one step. `warning`: it works, and is worth a change. `skipped`: an earlier step failed. */
export interface Finding {
  readonly step: DiagStep
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped'
  /** What was looked at: an edge, a target, a URL. */
  readonly subject?: string | undefined
  /** What was seen, in plain words. */
  readonly said: string
  /** What to do about it. */
  readonly todo?: string | undefined
  /** Of a failure. */
  readonly code?: ErrorCode | undefined
}

const WORDS: Readonly<Record<Finding['state'], string>> = {
  ok: 'ok     ',
  warning: 'warning',
  failed: 'FAILED ',
  skipped: '-      ',
}

/** One finding as a line, and what to do below it. */
export function printFinding(out: Output, { step, state, subject, said, todo }: Finding): void {
  const where = subject === undefined || said.startsWith(`${subject}: `) ? '' : `${subject}: `
  out.line(`${WORDS[state]}  ${step.padEnd(8)}  ${printable(`${where}${said}`)}`)
  if (todo !== undefined) out.line(`${' '.repeat(19)}→ ${printable(todo)}`)
}
