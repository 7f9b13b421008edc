import { readFile } from 'node:fs/promises'
import { HawserError, systemCode } from '@hawser/core'
import type { Secret } from '@hawser/core'
import type { FlagSpec } from '../../command.ts'

/** How a connector is told its token (V-146). */
export const tokenFlags = {
  tokenFile: {
    kind: 'path',
    env: 'HAWSER_TUNNEL_TOKEN_FILE',
    placeholder: 'file',
    help: 'file that holds the tunnel token',
  },
  token: {
    kind: 'string',
    secret: true,
    env: 'HAWSER_TUNNEL_TOKEN',
    placeholder: 'token',
    help: 'the tunnel token itself',
  },
} as const satisfies Record<string, FlagSpec>

/**
 * The token's text. The flag wins over the file: it is the more particular of the two.
 *
 * @throws {HawserError} `options_invalid` where there is none, or the file cannot be read
 */
export async function readToken(token: Secret | undefined, file: string | undefined): Promise<string> {
  if (token !== undefined) return token.reveal()
  if (file === undefined) {
    throw new HawserError('options_invalid', '--token-file or --token is required (or set HAWSER_TUNNEL_TOKEN)')
  }
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new HawserError('options_invalid', `--token-file: ${file}: ${systemCode(error) ?? String(error)}`)
  }
}
