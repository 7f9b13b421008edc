import { HawserError } from '@hawser/core'
import type { FlowVerdict } from '@hawser/core'
import { refusalCode } from './egress.ts'

/** A refusal by policy: the code for the caller, the verdict for the flow record. */
export class EgressRefusal extends HawserError {
  readonly verdict: FlowVerdict

  constructor(verdict: FlowVerdict, message: string) {
    super(refusalCode(verdict.rule), message)
    this.verdict = verdict
  }
}
