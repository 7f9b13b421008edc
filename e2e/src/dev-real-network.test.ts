/** `hawser dev` with `networks.X.token`: the Worker on this machine, the network behind a real edge and connector. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import { ClientDialer, parseClientToken } from '@hawser/edge/local'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import { startHawser } from 'hawser/testing'
import { ClientSite } from './support/client-site.ts'

const TIMEOUT = { timeout: 60_000 }

const WORKER = `
export default {
  async fetch(request, env) {
    const url = new URL(request.url)
    const to = url.searchParams.get('to')
    try {
      if (url.pathname === '/fetch') return await env.OFFICE.fetch(to)
      const socket = await env.OFFICE.connect(to, { allowHalfOpen: true })
      const writer = socket.writable.getWriter()
      await writer.write(new TextEncoder().encode('PING'))
      await writer.close()
      return new Response(await new Response(socket.readable).text())
    } catch (error) {
      return new Response(error.message, { status: 500 })
    }
  },
}`

async function project(t: TestContext, tunnelId: string, hawser: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-real-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const wrangler = {
    name: 'app',
    main: 'index.js',
    compatibility_date: '2026-01-01',
    vpc_networks: [{ binding: 'OFFICE', tunnel_id: tunnelId }],
  }
  await writeFile(join(folder, 'wrangler.json'), JSON.stringify(wrangler))
  await writeFile(join(folder, 'hawser.jsonc'), JSON.stringify(hawser))
  await writeFile(join(folder, 'index.js'), WORKER)
  return folder
}

test(
  'calls go through the edge and its connector; TLS is spoken here, by the rules of the project',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using site = await ClientSite.open(['127.0.0.2/32'])
    const authority = await createAuthority()
    const { certPem: cert, keyPem: key } = await authority.issue({ names: ['127.0.0.1'] })
    const tcp = await site.tcp((socket) => void text(socket).then((said) => socket.end(`you said ${said}`)))
    const http = await site.http((request, response) => response.end(`${request.headers.host} ${request.url}`))
    const https = await site.serve(createHttpsServer({ cert, key }, (_request, response) => response.end('secret')))
    const broken = await site.tcp((socket) => socket.once('data', () => socket.resetAndDestroy()))
    const token = await site.token()
    // The edge knows the network by another id than the wrangler file.
    const config = await project(t, '7e1c0000-0000-4000-8000-000000000000', {
      networks: { OFFICE: { hosts: { 'here.internal': '127.0.0.1' }, token, tunnel: 'office' } },
    })
    await using hawser = await startHawser({ config, tls: [{ match: https.address, ca: authority.caPem }] })
    const ask = async (path: string, to: string): Promise<string> =>
      (await hawser.fetch(`${path}?to=${encodeURIComponent(to)}`)).text()

    assert.equal(await ask('/connect', tcp.address), 'you said PING')
    assert.equal(await ask('/fetch', `http://${http.address}/a`), `${http.address} /a`)
    assert.equal(await ask('/fetch', `http://here.internal:${http.port}/b`), `here.internal:${http.port} /b`)
    assert.equal(await ask('/fetch', `https://${https.address}/`), 'secret')
    assert.equal(await ask('/connect', '127.0.0.2:80'), 'ProxyError: destination_ip_prohibited')
    assert.match(await ask('/fetch', 'http://no-such-host.invalid/'), /^ProxyError: dns_(?:error|timeout)$/)
    assert.match(await ask('/connect', broken.address), /lost/, 'a reset arrives as one')

    const flows = await hawser.flows()
    assert.deepEqual(
      flows.map(({ route, outcome, tls }) => `${route?.via} ${outcome} ${tls?.authorized ?? ''}`.trim()),
      ['edge ok', 'edge ok', 'local ok', 'edge ok true', 'edge error', 'edge error', 'edge error'],
    )
    const seen = await site.flowsEnded(6)
    assert.deepEqual(
      new Set(seen.map(({ worker, kind, route }) => `${worker} ${kind} ${route?.via}`)),
      new Set(['client/batch connect tunnel']),
    )
  },
)

test(
  'a client without the right, an edge that is gone and a token of the connector are told apart',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using site = await ClientSite.open()
    const token = await site.token()
    const other = await project(t, '7e1c0000-0000-4000-8000-000000000000', { networks: { OFFICE: { token } } })
    {
      await using hawser = await startHawser({ config: other })
      await hawser.fetch('/connect?to=127.0.0.1:1')
      const { error } = await hawser.flow()
      assert.equal(error?.code, 'destination_unavailable')
      assert.match(
        error?.message ?? '',
        /client "batch" may not use network "7e1c0000-.*said by the edge 127\.0\.0\.1:\d+/,
      )
    }
    const tunnelToken = (await site.edge.tunnelToken(site.tunnelId)).reveal()
    const wrong = await project(t, site.tunnelId, { networks: { OFFICE: { token: tunnelToken } } })
    await assert.rejects(startHawser({ config: wrong }), {
      code: 'config_invalid',
      message:
        /hawser\.jsonc:1:\d+: "networks\.OFFICE\.token" must be the token of a client.*this is the token of a tunnel/,
    })
    const right = await project(t, site.tunnelId, { networks: { OFFICE: { token } } })
    await using hawser = await startHawser({ config: right })
    await site.edge.close(0)
    await hawser.fetch('/connect?to=127.0.0.1:1')
    const { error } = await hawser.flow()
    assert.match(error?.message ?? '', /^no edge of the token can be reached: 127\.0\.0\.1:\d+: connect ECONNREFUSED/)
  },
)

test(
  'of several edges the first that answers is taken, and none but that of the token is trusted',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using site = await ClientSite.open()
    const { port } = await site.tcp((socket) => socket.end('hello'))
    const token = parseClientToken(await site.token())
    const [edge = ''] = token.edges
    const dial = (of: Partial<typeof token>, signal: AbortSignal = t.signal): Promise<unknown> =>
      new ClientDialer({ ...token, ...of }, 'office')
        .dial({ host: '127.0.0.1', port, flowId: 'f', timeoutMs: 5_000 }, signal)
        .then(async ({ stream, remoteAddress }) => {
          const said = await text(stream)
          stream.end() // the other direction is still open
          return [said, remoteAddress]
        })
    assert.deepEqual(await dial({ edges: ['127.0.0.1:1', edge] }), ['hello', edge])
    const { caPem } = await createAuthority()
    await assert.rejects(dial({ caPem }), (error) => {
      assert.ok(HawserError.is(error, 'destination_unavailable'))
      assert.match(
        error.message,
        /^no edge of the token can be reached: 127\.0\.0\.1:\d+ is not the edge of this token: /,
      )
      return true
    })
    await assert.rejects(dial({}, AbortSignal.abort(new HawserError('connection_aborted', 'gone'))), {
      message: 'gone',
    })
    assert.throws(() => new ClientDialer({ ...token, edges: ['no port'] }, 'office'), { code: 'address_invalid' })
  },
)
