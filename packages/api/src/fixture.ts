import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Secret } from '@hawser/core'
import type { HawserError, Logger } from '@hawser/core'
import { openDirectory } from '@hawser/directory'
import type { Directory } from '@hawser/directory'
import { API_BASE, createApi } from './app.ts'
import type { ApiConnection } from './resource.ts'

/** A connection that only notes how it ended. */
export interface FakeConnection extends ApiConnection {
  ended: HawserError | undefined
}

/** What came back, taken apart. */
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: {
    readonly success: boolean
    readonly errors: readonly { readonly code: number; readonly message: string }[]
    readonly messages: readonly unknown[]
    readonly result: never
    readonly result_info?: unknown
  }
}

export interface Fixture<Log extends Logger = Logger> {
  readonly app: ReturnType<typeof createApi>
  readonly directory: Directory
  readonly log: Log
  readonly token: string
  readonly tokenId: string
  /** `/accounts/<id>` of this directory. */
  readonly account: string
  /** By tunnel id. */
  readonly connections: Map<string, FakeConnection[]>
  /** Tunnels whose connectors were told of a new configuration. */
  readonly configuredTunnels: string[]
  /** A call with the good token; `path` is below the base. A body that is not text is sent as JSON. */
  readonly call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>
}

/** The whole API over a directory in memory, with connections that a test can put in place. */
export async function apiFixture<Log extends Logger>(t: TestContext, log: Log): Promise<Fixture<Log>> {
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  t.after(() => directory.close())
  const { id, token } = await directory.apiTokens.create('test')
  const connections = new Map<string, FakeConnection[]>()
  const configuredTunnels: string[] = []
  const app = createApi({
    directory,
    tunnelToken: (tunnelId) => Promise.resolve(new Secret(`token of ${tunnelId}`)),
    connections: (tunnelId) => (connections.get(tunnelId) ?? []).filter(({ ended }) => ended === undefined),
    configureTunnel: async (tunnelId) => void configuredTunnels.push(tunnelId),
    logger: log,
  })
  return {
    app,
    directory,
    log,
    token: token.reveal(),
    tokenId: id,
    account: `/accounts/${directory.accountId}`,
    connections,
    configuredTunnels,
    async call(method, path, body, headers = {}) {
      const init: RequestInit = { method, headers: { authorization: `Bearer ${token.reveal()}`, ...headers } }
      if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body)
      return taken(await app.request(API_BASE + path, init))
    },
  }
}

/** Checks what holds for every answer, and takes it apart. */
export async function taken(response: Response): Promise<Answered> {
  const text = await response.text()
  const body = JSON.parse(text) as Answered['body']
  assert.equal(response.headers.get('content-type'), 'application/json')
  assert.equal(response.headers.get('cache-control'), 'no-store')
  assert.equal(body.success, response.ok)
  assert.deepEqual(body.messages, [])
  assert.equal(body.errors.length === 0, response.ok)
  if (!response.ok) assert.equal(body.result, null)
  for (const error of body.errors) assert.notEqual(error.message, '')
  return { status: response.status, headers: response.headers, text, body }
}

/** The code of the one error in an answer, with its status: `404/1002`. */
export function codeOf({ status, body }: Answered): string {
  return `${status}/${body.errors.map(({ code }) => code).join()}`
}

export function fakeConnection(id: string, connectorId: string, openedAt?: number): FakeConnection {
  return {
    id,
    connector: { id: connectorId, version: '0.1.0', hostname: 'box', platform: 'linux_x64' },
    remoteAddress: '[2001:db8::7]:40123',
    openedAt,
    ended: undefined,
    disconnect(reason) {
      this.ended = reason
    },
  }
}
