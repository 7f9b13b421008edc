import type { ErrorCode, HawserError } from '@hawser/core'

/** What to do next about an error, by its code: one line below the error itself. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  token_invalid: 'Print the token again with: hawser tunnel token <tunnel> --data-dir <dir>',
  tunnel_auth_failed:
    'The tunnel was deleted or its token replaced. Print the present token with: hawser tunnel token <tunnel>',
  edge_certificate_error:
    'The token belongs to another edge, or the edge made itself a new CA. Print the token again there.',
  edge_unreachable: 'Check that `hawser edge` is running there and that the address can be reached from here.',
  listen_failed: 'Stop what listens there, or choose another address.',
  storage_failed:
    'Check that the data directory exists, is a folder with room on its disk, and may be written by the edge.',
  unauthorized: 'Give --data-dir of the edge, or --api with --api-token (HAWSER_API_TOKEN).',
  config_invalid: 'Correct the file and start again.',
  bundle_failed: 'Correct the Worker and start again.',
}

/**
 * The line to print below an error, if there is one.
 *
 * @param command what was typed to start it, `hawser tunnel create`, for errors that its `--help` answers
 */
export function hintFor({ code, cause }: HawserError, command: string): string | undefined {
  if (code === 'options_invalid' || code === 'address_invalid') return `See: ${command} --help`
  if (code === 'not_found' && command.startsWith('hawser tunnel')) return 'List what there is with: hawser tunnel list'
  if (command.endsWith(' diag')) return undefined // each step has said what to do about it
  // What was not refused by the system says itself what to do: another edge at work, loose permissions, a lost file.
  if (code === 'storage_failed' && cause === undefined) return undefined
  return HINTS[code]
}
