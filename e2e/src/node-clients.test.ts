import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import { formatHostPort } from '@hawser/core'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
// By path: the name stands for what was last built.
import { vpcNetwork, vpcService } from '../../packages/sockets/src/index.ts'
import type { VpcBinding } from '../../packages/sockets/src/index.ts'
import { ANY, bytes, ClientSite, thrown } from './support/client-site.ts'
import { hawser, Program, runHawser } from './support/process.ts'

const TIMEOUT = { timeout: 15_000 }

test('fetch() reaches a private HTTP server, as a flow like any other', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { address } = await site.http((request, response) => {
    response.setHeader('x-seen', JSON.stringify({ url: request.url, headers: request.headers }))
    response.end('stock: 4')
  })
  const office = await site.network()
  const response = await office.fetch(`http://${address}/stock?all=1`, { headers: { 'x-mine': 'yes' } })
  assert.equal(response.status, 200)
  assert.equal(await response.text(), 'stock: 4')
  const seen = JSON.parse(response.headers.get('x-seen') ?? '') as { url: string; headers: Record<string, string> }
  assert.equal(seen.url, '/stock?all=1')
  assert.equal(seen.headers['host'], address)
  assert.equal(seen.headers['x-mine'], 'yes')
  assert.equal(seen.headers['sec-fetch-mode'], undefined)
  const [flow] = await site.flowsEnded(1)
  assert.equal(flow?.worker, 'client/batch')
  assert.equal(flow?.binding, 'office')
  assert.equal(flow?.kind, 'fetch')
  assert.equal(flow?.http?.status, 200)
  assert.equal(flow?.route?.via, 'tunnel')
})

test('connect() talks to a private TCP server, half-close included, and can be awaited', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { address } = await site.tcp((socket) => void text(socket).then((said) => socket.end(`you said ${said}`)))
  const office = await site.network()
  const socket = await office.connect(address, { allowHalfOpen: true })
  assert.deepEqual(await socket.opened, { remoteAddress: address, localAddress: undefined })
  const writer = socket.writable.getWriter()
  await writer.write(bytes('PING'))
  await writer.close()
  assert.equal(await new Response(socket.readable).text(), 'you said PING')
  await socket.close()
  const [flow] = await site.flowsEnded(1)
  assert.equal(flow?.outcome, 'ok')
  assert.equal(flow?.bytesSent, 4)
})

test('bodies stream both ways, no further ahead than the other side takes them', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { address } = await site.http((request, response) => void request.pipe(response))
  const office = await site.network()
  const data = randomBytes(3_000_000)
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      const at = data.length - left
      if (left === 0) return controller.close()
      const size = Math.min(50_000, left)
      left -= size
      return controller.enqueue(data.subarray(at, at + size))
    },
  })
  let left = data.length
  const response = await office.fetch(`http://${address}/`, { method: 'POST', body: source })
  const hash = createHash('sha256')
  for await (const chunk of response.body ?? []) hash.update(chunk)
  assert.equal(hash.digest('hex'), createHash('sha256').update(data).digest('hex'))
})

test('a body that comes drop by drop is read as it comes', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const next = Promise.withResolvers<void>()
  const { address } = await site.http((_request, response) => {
    response.write('first')
    void next.promise.then(() => response.end('second'))
  })
  const office = await site.network()
  const reader = (await office.fetch(`http://${address}/`)).body?.getReader()
  assert.equal(new TextDecoder().decode((await reader?.read())?.value), 'first')
  next.resolve()
  assert.equal(new TextDecoder().decode((await reader?.read())?.value), 'second')
})

test('an answer cut off in its body fails the reading of it', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { address } = await site.http((_request, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half', () => response.destroy())
  })
  const office = await site.network()
  const response = await office.fetch(`http://${address}/`)
  await assert.rejects(response.text())
})

test('redirects lead through the private network too, and requests share a connection', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { address } = await site.http((request, response) => {
    if (request.url === '/there') return response.end('arrived')
    return response.writeHead(302, { location: '/there' }).end()
  })
  const office = await site.network()
  for (let n = 0; n < 3; n += 1) {
    const response = await office.fetch(`http://${address}/here`)
    assert.equal(await response.text(), 'arrived')
    assert.equal(response.redirected, true)
  }
  assert.equal((await office.fetch(`http://${address}/here`, { redirect: 'manual' })).status, 302)
})

test('what the edge cannot deliver is thrown as a ProxyError with code, cause and flow', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open(['127.0.0.2/32'])
  const office = await site.network()
  for (const [address, code] of [
    ['127.0.0.2:81', 'destination_ip_prohibited'],
    ['no-such-host.invalid:80', 'dns_error'],
    ['127.0.0.1:81', 'connection_refused'],
  ] as const) {
    const fetched = await thrown(office.fetch(`http://${address}/`))
    const connected = await thrown(office.connect(address))
    for (const error of [fetched, connected]) {
      assert.equal(error.message, `ProxyError: ${code}`)
      assert.equal(error.code, code)
      assert.ok(error.cause instanceof Error)
      assert.ok(site.flows.some(({ id }) => id === error.flow))
    }
    const socket = office.connect(address)
    assert.equal((await thrown(socket.closed)).code, code)
    assert.equal((await thrown(socket.writable.getWriter().write(bytes('x')))).message, `ProxyError: ${code}`)
  }
})

test('a target that resets is a lost connection, not an end', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { address } = await site.tcp((socket) => void socket.once('data', () => socket.resetAndDestroy()))
  const socket = await (await site.network()).connect(address)
  const reader = socket.readable.getReader()
  await socket.writable.getWriter().write(bytes('x'))
  assert.match((await thrown(reader.read())).message, /^Network connection lost/)
})

test('a client that gives up resets the target, and its flow ends as aborted', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const gone = Promise.withResolvers<string>()
  const { address } = await site.tcp((socket) => {
    socket.resume()
    socket.once('error', (error) => gone.resolve(String((error as { code?: string }).code)))
    socket.once('end', () => gone.resolve('end'))
  })
  const office = await site.network()
  const controller = new AbortController()
  const socket = await office.connect(address, { signal: controller.signal })
  const reason = new Error('changed my mind')
  controller.abort(reason)
  assert.equal(await thrown(socket.closed), reason)
  assert.equal(await gone.promise, 'ECONNRESET')
  const [flow] = await site.flowsEnded(1)
  assert.notEqual(flow?.outcome, 'ok')
})

test('signal and timeoutMs end a fetch that has no answer', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { address } = await site.http(() => {})
  const office = await site.network()
  const late = await thrown(office.fetch(`http://${address}/`, { timeoutMs: 50 }))
  assert.equal(late.code, 'connection_timeout')
  const controller = new AbortController()
  const pending = thrown(office.fetch(`http://${address}/`, { signal: controller.signal }))
  const reason = new Error('changed my mind')
  controller.abort(reason)
  assert.equal(await pending, reason)
  await assert.rejects(office.fetch(`http://${address}/`, { timeoutMs: 0 }), /timeoutMs: expected a number/)
  await assert.rejects(office.fetch('file:///etc/passwd'), /expected an http: or https: URL/)
})

/** The way from a client to nowhere: listens and says nothing. */
test('timeoutMs and signal end a connect() that hangs', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const silent = await site.tcp((socket) => void socket.resume())
  const office = site.own(vpcNetwork({ edge: silent.address, token: await site.token(), network: 'office' }))
  const late = await thrown(office.connect('db:5432', { timeoutMs: 50 }))
  assert.equal(late.message, 'ProxyError: connection_timeout')
  const reason = new Error('changed my mind')
  assert.equal(await thrown(office.connect('db:5432', { signal: AbortSignal.abort(reason) })), reason)
})

test('a service is where its calls go, whatever they name', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const web = await site.http((request, response) => response.end(`${request.headers.host ?? ''} ${request.url ?? ''}`))
  const db = await site.tcp((socket) => socket.end('select'))
  const { services, clients } = site.edge.directory
  const target = { tunnelId: site.tunnelId, host: '127.0.0.1' }
  const stock = await services.create({ name: 'stock', type: 'http', httpPort: web.port, ...target })
  const orders = await services.create({ name: 'orders', type: 'tcp', tcpPort: db.port, ...target })
  const { id } = await clients.create({ name: 'batch', services: [stock.id, orders.id] })
  const token = (await site.edge.clientToken(id)).reveal()
  const stockBinding = site.own(vpcService({ token, service: 'stock' }))
  const response = await stockBinding.fetch('http://169.254.169.254:81/latest?x=1')
  assert.equal(await response.text(), '169.254.169.254:81 /latest?x=1')
  assert.equal((await thrown(stockBinding.fetch('https://stock/'))).code, 'destination_not_found')
  assert.equal((await thrown(stockBinding.connect('stock:80'))).code, 'destination_not_found')
  const ordersBinding = site.own(vpcService({ token, service: orders.id }))
  assert.equal(await new Response((await ordersBinding.connect('anything:1')).readable).text(), 'select')
  assert.equal((await thrown(ordersBinding.fetch('http://orders/'))).code, 'destination_not_found')
})

test('https: of a service is verified as the directory says', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { certPem, keyPem } = await (await createAuthority()).issue()
  const names: (string | undefined)[] = []
  const server = createHttpsServer({ cert: certPem, key: keyPem }, (request, response) => {
    names.push(request.socket instanceof TLSSocket ? String(request.socket.servername) : undefined)
    response.end('secret')
  })
  const { port } = await site.serve(server)
  const { services, clients } = site.edge.directory
  const common = { type: 'http', tunnelId: site.tunnelId, host: '127.0.0.1', httpsPort: port } as const
  const strict = await services.create({ ...common, name: 'strict' })
  const lax = await services.create({ ...common, name: 'lax', verify: 'disabled' })
  const { id } = await clients.create({ name: 'batch', services: [strict.id, lax.id] })
  const token = (await site.edge.clientToken(id)).reveal()
  const open = (service: string): VpcBinding => site.own(vpcService({ token, service }))
  assert.equal(await (await open('lax').fetch('https://api.internal/')).text(), 'secret')
  assert.deepEqual(names, ['api.internal'])
  assert.equal((await thrown(open('strict').fetch('https://api.internal/'))).code, 'tls_certificate_error')
})

test('a CA of the host’s own is trusted by the rule of the edge for its targets', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  const { certPem, keyPem } = await authority.issue()
  await using site = await ClientSite.open([], [{ host: 'localhost', caPem: authority.caPem }])
  const server = createHttpsServer({ cert: certPem, key: keyPem }, (_request, response) => response.end('secret'))
  const { port } = await site.serve(server)
  const office = await site.network()
  assert.equal(await (await office.fetch(`https://localhost:${port}/`)).text(), 'secret')
  assert.equal((await thrown(office.fetch(`https://127.0.0.1:${port}/`))).code, 'tls_certificate_error')
  const [flow] = await site.flowsEnded(1)
  assert.equal(flow?.tls?.rule, 'localhost')
})

test('secureTransport "on" and startTls() are TLS spoken by the edge', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { certPem, keyPem } = await (await createAuthority()).issue()
  const answer = (socket: Socket): void =>
    void socket.once('data', (data: Buffer) => socket.end(`tls: ${String(data)}`))
  const tls = createTlsServer({ cert: certPem, key: keyPem }, answer)
  const { port } = await site.serve(tls)
  const upgrading = await site.tcp((socket) => {
    socket.once('data', () => {
      socket.write('go')
      tls.emit('connection', socket)
    })
  })
  const { services, clients } = site.edge.directory
  const common = { type: 'tcp', tunnelId: site.tunnelId, host: '127.0.0.1' } as const
  const direct = await services.create({ ...common, name: 'direct', tcpPort: port, verify: 'disabled' })
  const later = await services.create({ ...common, name: 'later', tcpPort: upgrading.port, verify: 'disabled' })
  const strict = await services.create({ ...common, name: 'strict', tcpPort: upgrading.port })
  const { id } = await clients.create({ name: 'batch', services: [direct.id, later.id, strict.id] })
  const token = (await site.edge.clientToken(id)).reveal()

  const on = await site.own(vpcService({ token, service: 'direct' })).connect('db:1', { secureTransport: 'on' })
  await on.writable.getWriter().write(bytes('hello'))
  assert.equal(await new Response(on.readable).text(), 'tls: hello')

  for (const service of ['later', 'strict']) {
    const binding = site.own(vpcService({ token, service }))
    const clear = await binding.connect('db:1', { secureTransport: 'starttls' })
    const [reader, writer] = [clear.readable.getReader(), clear.writable.getWriter()]
    await writer.write(bytes('STARTTLS'))
    assert.equal(new TextDecoder().decode((await reader.read()).value), 'go')
    reader.releaseLock()
    writer.releaseLock()
    const secure = clear.startTls()
    if (service === 'strict') {
      assert.equal((await thrown(secure.opened)).code, 'tls_certificate_error')
    } else {
      await secure.opened
      await secure.writable.getWriter().write(bytes('again'))
      assert.equal(await new Response(secure.readable).text(), 'tls: again')
      await secure.close()
    }
  }
})

test('bytes in clear that nobody read fail the upgrade', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { address } = await site.tcp((socket) => void socket.once('data', () => socket.write('go and some more')))
  const office = await site.network()
  const clear = await office.connect(address, { secureTransport: 'starttls' })
  const writer = clear.writable.getWriter()
  await writer.write(bytes('STARTTLS'))
  writer.releaseLock()
  const reader = clear.readable.getReader({ mode: 'byob' })
  await reader.read(new Uint8Array(2))
  reader.releaseLock()
  assert.equal((await thrown(clear.startTls().opened)).code, 'tls_protocol_error')
})

test('only what was granted can be used, by a good token only', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  await site.edge.directory.tunnels.create({ name: 'vault' })
  const token = await site.token()
  const other = Buffer.from(
    JSON.stringify({
      ...JSON.parse(Buffer.from(token, 'base64').toString()),
      secret: randomBytes(32).toString('base64'),
    }),
  ).toString('base64')
  for (const [options, reason] of [
    [{ token, network: 'vault' }, /may not use network "vault"/],
    [{ token, network: 'no-such' }, /may not use network "no-such"/],
    [{ token: other, network: 'office' }, /does not accept this token/],
  ] as const) {
    const binding = site.own(vpcNetwork(options))
    for (const call of [() => binding.fetch('http://127.0.0.1:81/'), () => binding.connect('127.0.0.1:1')]) {
      const error = await thrown(call())
      assert.equal(error.code, 'unauthorized')
      assert.match(String(error.cause), reason)
    }
  }
  assert.equal(site.flows.length, 0)
  const refusals = site.log.lines.filter(({ message }) => message === 'refused a connection')
  assert.equal(refusals.length, 6)
  const secret = (JSON.parse(Buffer.from(token, 'base64').toString()) as { secret: string }).secret
  assert.ok(!JSON.stringify(site.log.lines).includes(secret))
})

test('a client that is deleted loses its connections and comes in no more', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { address } = await site.tcp((socket) => void socket.resume())
  const office = await site.network()
  const socket = await office.connect(address)
  const [client] = await site.edge.directory.clients.list()
  await site.edge.directory.clients.delete(client?.id ?? '')
  site.edge.disconnectClient(client?.id ?? '')
  await assert.rejects(socket.readable.getReader().read())
  assert.equal((await thrown(office.connect(address))).code, 'unauthorized')
})

test('an edge of another CA, and one that is not there, are told apart', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using one = await ClientSite.open()
  await using two = await ClientSite.open()
  const token = await one.token()
  const edge = formatHostPort(two.edge.clientsAddress ?? ANY)
  const wrong = one.own(vpcNetwork({ token, network: 'office', edge }))
  assert.equal((await thrown(wrong.connect('127.0.0.1:1'))).code, 'edge_certificate_error')
  assert.equal((await thrown(wrong.fetch('http://127.0.0.1:81/'))).code, 'edge_certificate_error')
  const nobody = one.own(vpcNetwork({ token, network: 'office', edge: '127.0.0.1:1' }))
  assert.equal((await thrown(nobody.connect('127.0.0.1:1'))).code, 'edge_unreachable')
  assert.equal((await thrown(nobody.fetch('http://127.0.0.1:81/'))).code, 'edge_unreachable')
})

test('the edge closes: calls under way finish, or end with it', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const next = Promise.withResolvers<void>()
  const { address } = await site.tcp((socket) => {
    socket.write('first')
    void next.promise.then(() => socket.end('last'))
  })
  const office = await site.network()
  const socket = await office.connect(address)
  const reader = socket.readable.getReader()
  assert.equal(new TextDecoder().decode((await reader.read()).value), 'first')
  const closing = site.edge.close(10_000)
  next.resolve()
  assert.equal(new TextDecoder().decode((await reader.read()).value), 'last')
  await socket.close()
  await closing
  assert.equal((await thrown(office.connect(address))).code, 'edge_unreachable')
})

test('a program ends by itself, though its requests have left connections idle', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await ClientSite.open()
  const { address } = await site.http((_request, response) => response.end('done'))
  const sockets = new URL('../../packages/sockets/src/index.ts', import.meta.url).href
  const code = `
    import { vpcNetwork } from ${JSON.stringify(sockets)}
    const office = vpcNetwork({ token: process.env.TOKEN, network: 'office' })
    console.log(await (await office.fetch('http://${address}/')).text())`
  await using program = new Program(process.execPath, ['--input-type=module', '-e', code], {
    TOKEN: await site.token(),
  })
  assert.equal(await program.exited, 0)
  assert.deepEqual(program.lines, ['done'])
})

test('wrong options are refused at once, and a token is never repeated', () => {
  const token = Buffer.from(JSON.stringify({ client: 'x', secret: 'hunter2' })).toString('base64')
  assert.throws(() => vpcNetwork({ token, network: 'office' }), { name: 'TypeError', code: 'token_invalid' })
  for (const bad of ['', 'hunter2', Buffer.from('{"t":"hunter2"}').toString('base64'), 5 as never]) {
    assert.throws(
      () => vpcNetwork({ token: bad, network: 'office' }),
      (error: Error & { code?: string }) => error.code === 'token_invalid' && !error.message.includes('hunter2'),
    )
  }
  assert.throws(() => vpcNetwork({ token, network: '' }), /network: expected an id or a name/)
  assert.throws(() => vpcService({ token, network: 'x' } as never), /network: no such option/)
})

test('the commands: an edge that takes clients, one made, listed, its token used, and deleted', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const folder = await mkdtemp(join(tmpdir(), 'hawser-clients-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const dir = ['--data-dir', join(folder, 'edge')]
  await using edge = hawser([
    'edge',
    ...dir,
    '--tunnel',
    '127.0.0.1:0',
    '--api',
    '127.0.0.1:0',
    '--clients',
    '127.0.0.1:0',
  ])
  await edge.line(/^clients 127\.0\.0\.1:\d+/)
  await edge.line(/^Next:/)
  const tunnel = JSON.parse(await runHawser('tunnel', 'create', 'office', ...dir, '--json')) as { id: string }
  const made = JSON.parse(await runHawser('client', 'create', 'batch', '--network', 'office', ...dir, '--json')) as {
    id: string
    networks: string[]
  }
  assert.deepEqual(made.networks, [tunnel.id])
  assert.match(await runHawser('client', 'list', ...dir), new RegExp(`^NAME .*\nbatch +${made.id} +${tunnel.id}`))
  const token = (await runHawser('client', 'token', 'batch', ...dir)).trim()
  await using office = vpcNetwork({ token, network: tunnel.id })
  assert.equal((await thrown(office.connect('db:5432'))).code, 'destination_unavailable') // no connector runs
  assert.equal(await runHawser('client', 'delete', made.id, ...dir), `Deleted client batch (${made.id})`)
  assert.equal((await thrown(office.connect('db:5432'))).code, 'unauthorized')
})
