import { HawserError } from '@hawser/core'
import type { Secret } from '@hawser/core'
import type { FlagSpec, FlagValues } from '../command.ts'
import { readAdminToken } from './admin-token.ts'
import { ApiClient } from './api-client.ts'
import { readEdgeFile } from './edge-file.ts'
import { TunnelsClient } from './tunnels-client.ts'

/** Flags of every command that is a client of the control API. */
export const apiFlags = {
  dataDir: {
    kind: 'path',
    env: 'HAWSER_DATA_DIR',
    placeholder: 'dir',
    help: 'data directory of an edge on this machine; tells the API and its token',
  },
  api: { kind: 'url', env: 'HAWSER_API', help: 'base URL of the control API, instead of --data-dir' },
  apiToken: {
    kind: 'string',
    secret: true,
    env: 'HAWSER_API_TOKEN',
    placeholder: 'token',
    help: 'API token; better given by the environment, a command line can be seen by other users',
  },
  account: {
    kind: 'string',
    env: 'HAWSER_ACCOUNT_ID',
    placeholder: 'id',
    help: 'account, where the token may use several',
  },
  json: { kind: 'boolean', help: 'print JSON' },
} as const satisfies Record<string, FlagSpec>

/** What a next command needs to find the same edge, to be put behind it; empty where `--api` has named it. */
export function sameEdge({ dataDir }: { readonly dataDir?: string | undefined }): string {
  return dataDir === undefined ? '' : ` --data-dir ${dataDir}`
}

/** The path of the API below its origin, for a `--api` that names the origin only. */
const API_PATH = '/client/v4'

/**
 * A client for what the flags say.
 *
 * @throws {HawserError} `options_invalid` where the flags say too little, `edge_unreachable`, `unauthorized`
 */
export async function openTunnelsClient(
  flags: FlagValues<typeof apiFlags>,
  signal: AbortSignal,
): Promise<TunnelsClient> {
  const { client, accountId } = await openApi(flags, signal)
  return new TunnelsClient(client, accountId)
}

/**
 * The API itself, and the account that the flags mean.
 *
 * @throws {HawserError} as {@link openTunnelsClient}
 */
export async function openApi(
  flags: FlagValues<typeof apiFlags>,
  signal: AbortSignal,
): Promise<{ readonly client: ApiClient; readonly accountId: string }> {
  const { dataDir, api } = flags
  if (dataDir === undefined && api === undefined) {
    throw new HawserError('options_invalid', '--data-dir or --api is required (or set HAWSER_DATA_DIR or HAWSER_API)')
  }
  const edge = dataDir !== undefined && api === undefined ? await readEdgeFile(dataDir) : undefined
  const given = edge?.api ?? api ?? ''
  const base = new URL(given).pathname === '/' ? `${given.replace(/\/$/, '')}${API_PATH}` : given
  const client = new ApiClient({ base, token: await apiToken(flags.apiToken, dataDir), signal })
  const accountId = flags.account ?? edge?.accountId ?? (await onlyAccount(client))
  return { client, accountId }
}

/** A token that was given wins over the admin token of the data directory. */
async function apiToken(given: Secret | undefined, dataDir: string | undefined): Promise<Secret> {
  if (given !== undefined) return given
  if (dataDir !== undefined) return readAdminToken(dataDir)
  throw new HawserError('options_invalid', '--api-token is required with --api (or set HAWSER_API_TOKEN)')
}

/** A directory has one account, so there is no need to name it; other v4 APIs may have several. */
async function onlyAccount(client: ApiClient): Promise<string> {
  const accounts = await client.call('GET', '/accounts')
  const ids = Array.isArray(accounts) ? accounts.map((account: { id?: unknown }) => String(account.id)) : []
  const [id] = ids
  if (id !== undefined && ids.length === 1) return id
  throw new HawserError('options_invalid', `--account is required: this token may use ${ids.join(', ') || 'none'}`)
}
