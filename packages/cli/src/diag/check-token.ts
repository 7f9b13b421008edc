import { X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { HawserError } from '@hawser/core'
import { parseTunnelToken } from '@hawser/tunnel'
import type { TunnelToken } from '@hawser/tunnel'
import type { Finding } from './finding.ts'

/** A token that can be read, or none, and what to say about it. */
export interface CheckedToken {
  readonly token: TunnelToken | undefined
  readonly findings: readonly Finding[]
}

const READ_BY_OTHERS = 0o004

/** A day is all that somebody reading it needs, and does not suggest more precision than there is. */
export function day(date: Date): string {
  return date.toISOString().slice(0, 10)
}

/** `CN=…` of a certificate's subject or issuer, on one line. */
export function nameOf(distinguished: string): string {
  return distinguished.split('\n').join(', ')
}

function readToken(text: string): { token: TunnelToken; ca: X509Certificate } | HawserError {
  try {
    const token = parseTunnelToken(text)
    return { token, ca: new X509Certificate(token.caPem) }
  } catch (error) {
    if (HawserError.is(error)) return error
    return new HawserError('token_invalid', "not a tunnel token of a Hawser edge: the edge's CA in it cannot be read")
  }
}

async function checkFile(file: string): Promise<readonly Finding[]> {
  const { mode } = await stat(file)
  if ((mode & READ_BY_OTHERS) === 0) return []
  const said = 'every user of this machine may read the file, and whoever reads it can run this tunnel'
  return [{ step: 'token', state: 'warning', subject: file, said, todo: `chmod 600 ${file}` }]
}

/**
 * Step 1: is this a token, whole and of this edge's kind? Says nothing of its secret.
 *
 * @param file where the text comes from, if from a file
 */
export async function checkToken(text: string, file: string | undefined): Promise<CheckedToken> {
  const read = readToken(text)
  if (read instanceof HawserError) {
    const todo = 'Copy it again, whole: hawser tunnel token <tunnel> --data-dir <dir>'
    const said = read.message
    // Not as `token_invalid`, which means a command used wrongly: this command has done what it is for.
    return {
      token: undefined,
      findings: [{ step: 'token', state: 'failed', said, todo, code: 'tunnel_auth_failed' }],
    }
  }
  const { token, ca } = read
  const edges = token.edges.length === 0 ? 'names no edge' : `names ${token.edges.join(', ')}`
  const said = `tunnel ${token.tunnelId}; ${edges}; trusts ${nameOf(ca.subject)} until ${day(ca.validToDate)}`
  const warnings = file === undefined ? [] : await checkFile(file)
  return { token, findings: [{ step: 'token', state: 'ok', said }, ...warnings] }
}
