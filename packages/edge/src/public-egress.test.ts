import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import type { Dialer } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { directDialer } from './direct-dialer.ts'
import { TestSite } from './test-site.ts'

const TIMEOUT = { timeout: 10_000 }
const PUBLIC_IP = '93.184.216.34'

/** A site on the public side: names resolve by a table, and whatever may be dialled ends at one local port. */
async function publicSite(names: Record<string, readonly string[]> = {}): Promise<{
  readonly site: TestSite
  readonly dialed: (readonly string[])[]
  readonly resolved: string[]
}> {
  const dialed: (readonly string[])[] = []
  const resolved: string[] = []
  let port = 0
  const loopback = directDialer(['127.0.0.1'])
  const dialerTo = (addresses: readonly string[]): Dialer => ({
    dial: async (target, signal) => {
      dialed.push(addresses)
      const { stream } = await loopback.dial({ ...target, port }, signal)
      return { stream, remoteAddress: `${addresses[0]}:${target.port}` }
    },
  })
  const site = await TestSite.open({
    identity: { binding: 'egress', network: { kind: 'public' } },
    services: {
      directDialer: dialerTo,
      resolve: (name) => {
        resolved.push(name)
        const found = names[name]
        return found === undefined
          ? Promise.reject(new HawserError('dns_error', `${name}: no such name`))
          : Promise.resolve(found)
      },
    },
  })
  port = await site.attach(
    'unused:80',
    createServer((_incoming, outgoing) => outgoing.end('public')),
  )
  return { site, dialed, resolved }
}

test('public egress: a name is resolved once, judged, and exactly what passed is dialled', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, dialed, resolved } = await publicSite({ 'example.com': ['10.0.0.1', PUBLIC_IP] })
  await using _site = site
  assert.equal((await site.fetch('GET', 'http://example.com/')).body.toString(), 'public')
  assert.deepEqual([dialed, resolved], [[[PUBLIC_IP]], ['example.com']])
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.route?.via, flow?.verdict?.allowed], ['direct', true])
})

test(
  'public egress: a kept connection is not resolved for again, and its address is judged again',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    const { site, dialed, resolved } = await publicSite({ 'example.com': [PUBLIC_IP] })
    await using _site = site
    for (let call = 0; call < 3; call += 1) await site.fetch('GET', 'http://example.com/')
    assert.deepEqual([dialed.length, resolved.length], [1, 1])
    const flows = await site.flowsEnded(3)
    assert.ok(flows.every((flow) => flow.verdict?.allowed === true && flow.target?.addresses?.[0] === PUBLIC_IP))
  },
)

test('public egress: rebinding between look-ups does not help, since there is one look-up', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const answers = [[PUBLIC_IP], ['127.0.0.1']]
  const names = {
    get 'rebind.example'(): readonly string[] {
      return answers.shift() ?? ['10.0.0.1']
    },
  }
  const { site, dialed } = await publicSite(names)
  await using _site = site
  assert.equal((await site.fetch('GET', 'http://rebind.example/', { connection: 'close' })).status, 200)
  site.binding.pool.take('http://rebind.example:80')?.close()
  assert.equal((await site.fetch('GET', 'http://rebind.example/')).status, 403)
  assert.deepEqual(dialed, [[PUBLIC_IP]])
})

const refused: readonly [url: string, status: number, number: number, code: string][] = [
  ['http://127.0.0.1/', 403, 1003, 'destination_ip_prohibited'],
  ['http://2130706433/', 403, 1003, 'destination_ip_prohibited'],
  ['http://0x7f.1/', 403, 1003, 'destination_ip_prohibited'],
  ['http://[::ffff:10.0.0.1]/', 403, 1003, 'destination_ip_prohibited'],
  ['http://169.254.169.254/latest/', 403, 1003, 'destination_ip_prohibited'],
  ['http://localhost/', 403, 1003, 'destination_ip_prohibited'],
  ['http://inside.example/', 403, 1003, 'destination_ip_prohibited'],
  ['http://example.com:25/', 403, 1003, 'destination_port_prohibited'],
  ['http://nowhere.example/', 530, 1016, 'dns_error'],
]
for (const [url, status, number, code] of refused) {
  test(`public egress: ${url} is answered ${status} with ${number}`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    const { site, dialed } = await publicSite({
      'inside.example': ['10.0.0.1', '127.0.0.1'],
      'example.com': [PUBLIC_IP],
    })
    await using _site = site
    const reply = await site.fetch('GET', url)
    const [flow] = await site.flowsEnded(1)
    assert.equal(reply.status, status)
    const lines = reply.body.toString().split('\n')
    assert.equal(lines[0], `error code: ${number}`)
    assert.ok(lines[1]?.startsWith(`ProxyError: ${code}: `))
    assert.equal(lines[2], `flow ${flow?.id}`)
    assert.equal(reply.headers['hawser-error'], undefined)
    assert.deepEqual(dialed, [])
    assert.equal(flow?.error?.code, code)
  })
}

test('public egress: the edge’s own listeners are a loop, by fetch() and by connect()', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, dialed } = await publicSite()
  await using _site = site
  const { host, port } = site.listener.address
  assert.equal((await site.fetch('GET', `http://${host}:${port}/`)).status, 403)
  assert.equal((await site.connect(`${host}:${port}`)).status, 403)
  const flows = await site.flowsEnded(2)
  assert.ok(flows.every((flow) => flow.error?.code === 'proxy_loop_detected'))
  assert.deepEqual(dialed, [])
})

test('public egress: connect() may lead into a tunnel while fetch() stays public', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open({
    identity: { binding: 'egress', network: { kind: 'public' }, connectNetwork: { kind: 'tunnel', tunnelId: 't1' } },
  })
  await site.serve('10.0.0.5:5432', (socket) => socket.end('row'))
  const { status, socket } = await site.connect('10.0.0.5:5432')
  assert.equal(status, 200)
  socket.end()
  assert.equal((await site.fetch('GET', 'http://10.0.0.5:5432/')).status, 403)
  const flows = await site.flowsEnded(2)
  assert.deepEqual(flows.map((flow) => flow.network.kind).toSorted(), ['public', 'tunnel'])
})

test('public egress: a name with a stand-in is not resolved, and judged as it was written', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const asked: string[] = []
  const loopback = directDialer(['127.0.0.1'])
  let port = 0
  const dialer: Dialer = {
    dial: async (target, signal) => {
      const { stream } = await loopback.dial({ ...target, port }, signal)
      return { stream, remoteAddress: `127.0.0.1:${port}` }
    },
  }
  await using site = await TestSite.open({
    identity: { binding: 'egress', network: { kind: 'public' } },
    services: {
      resolve: (name) => Promise.reject(new HawserError('dns_error', `${name}: there is no resolver on a train`)),
      resolver: {
        service: () => undefined,
        way: () => undefined,
        standIn: (_identity, target) => {
          asked.push(`${target.host}:${target.port}`)
          return dialer
        },
      },
    },
  })
  port = await site.attach(
    'unused:80',
    createServer((incoming, outgoing) => outgoing.end(incoming.headers.host)),
  )
  for (let call = 0; call < 2; call += 1) {
    assert.equal((await site.fetch('GET', 'http://api.example.com:8080/')).body.toString(), 'api.example.com:8080')
  }
  for (const url of ['http://10.0.0.5/', 'http://127.0.0.1/', 'http://localhost/', 'http://api.example.com:25/']) {
    assert.equal((await site.fetch('GET', url)).status, 403, url)
  }
  const [first, second, ...refused] = await site.flowsEnded(6)
  assert.deepEqual([first?.route, second?.route?.via], [{ ...second?.route, via: 'local' }, 'local'])
  assert.deepEqual([first?.verdict, second?.verdict?.rule], [{ allowed: true, rule: 'stand-in' }, 'stand-in'])
  assert.ok(refused.every((flow) => flow.verdict?.allowed === false))
  assert.deepEqual(asked, ['api.example.com:8080', 'api.example.com:8080', '10.0.0.5:80', '127.0.0.1:80'])
})
