import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { testLine } from './test-line.ts'
import { hawserProcess } from './test-process.ts'

const CODE = `export default {
  async fetch(request, env) {
    try {
      return await env.PRIVATE.fetch(new URL(request.url).searchParams.get('url'))
    } catch (error) {
      return new Response(error.code, { status: 500 })
    }
  }
}`

test(
  'edge with a Worker, connector, private service: three commands and a request',
  { timeout: 120_000 },
  async (t) => {
    assertNoLeaks(t)
    const folder = await mkdtemp(join(tmpdir(), 'hawser-worker-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const dir = join(folder, 'edge')
    const line = ['edge', '--data-dir', dir, '--tunnel', '127.0.0.1:0', '--api', '127.0.0.1:0', '--log-level', 'warn']
    const service = createServer((request, response) => response.end(`private ${request.url}`))
    service.listen(0, '127.0.0.1')
    await once(service, 'listening')
    await using _service = service
    const port = (service.address() as AddressInfo).port

    // A binding names its tunnel by id, so the tunnel comes first.
    await using first = hawserProcess(line)
    await first.says(/^Next: /m)
    const created = JSON.parse((await testLine(['tunnel', 'create', 'lab', '--data-dir', dir, '--json'])).stdout)
    const { id } = created as { id: string }
    assert.deepEqual(await first.stop(), { code: 0, signal: null })

    await mkdir(join(folder, 'worker'))
    await writeFile(join(folder, 'worker', 'index.js'), CODE)
    const config = {
      name: 'reader',
      main: 'index.js',
      compatibility_date: '2026-01-01',
      vpc_networks: [{ binding: 'PRIVATE', tunnel_id: id }],
      env: { staging: { vpc_networks: [{ binding: 'PRIVATE', tunnel_id: id }] } },
    }
    const configPath = join(folder, 'worker', 'wrangler.json')
    await writeFile(configPath, JSON.stringify(config))
    await using edge = hawserProcess([...line, '--worker', configPath, '--env', 'staging', '--http', '127.0.0.1:0'])
    await edge.says(/^Next: /m)
    const [, url = '', name] = /^http +(\S+) \(Worker (\S+)\)$/m.exec(edge.stdout) ?? []
    assert.equal(name, 'reader-staging')
    const target = `${url}/?url=${encodeURIComponent(`http://127.0.0.1:${port}/rows`)}`
    assert.equal(await (await fetch(target)).text(), 'destination_unavailable', 'nobody runs the tunnel yet')

    const token = await testLine(['tunnel', 'token', 'lab', '--data-dir', dir])
    await writeFile(join(folder, 'token'), token.stdout)
    await using connector = hawserProcess(['connector', 'run', '--token-file', join(folder, 'token')])
    await connector.says(/connected to the edge/)
    assert.equal(await (await fetch(target)).text(), 'private /rows')
    const tunnelInfo = (): ReturnType<typeof testLine> => testLine(['tunnel', 'info', 'lab', '--data-dir', dir])
    let info = await tunnelInfo()
    // The first of its four connections is enough to serve; the tunnel is healthy once the last one is up.
    while (!/ 4\/4 /.test(info.stdout) || /^status +degraded$/m.test(info.stdout)) info = await tunnelInfo()
    assert.match(info.stdout, /^status +healthy$/m)
    assert.match(
      info.stdout,
      /^CONNECTOR +VERSION +PLATFORM +WEIGHT +CONNECTIONS +FROM +SINCE\n[0-9a-f-]{36} +\d+\.\d+\.\d+ +\S+ +100 +4\/4 +127\.0\.0\.1 +\S+\n$/m,
    )

    const inUse = await testLine(['tunnel', 'delete', 'lab', '--data-dir', dir])
    assert.equal(inUse.code, 1)
    assert.match(inUse.stderr, /in use by 1 connector\(s\); stop them first, or give --force \(conflict\)/)
    assert.equal((await testLine(['tunnel', 'delete', 'lab', '--data-dir', dir, '--force'])).code, 0)
    await connector.says(/tunnel_auth_failed/) // accepted before, so it keeps trying
    assert.deepEqual(await connector.stop(), { code: 0, signal: null })
    service.closeAllConnections()
    assert.deepEqual(await edge.stop(), { code: 0, signal: null })
  },
)
