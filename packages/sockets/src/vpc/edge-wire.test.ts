import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { fakeEdge } from './fake-edge.ts'
import type { FakeEdge, Visit } from './fake-edge.ts'
import { vpcNetwork, vpcService } from './vpc-network.ts'
import type { VpcBinding } from './vpc-network.ts'

const TIMEOUT = { timeout: 10_000 }
const OPEN = 'HTTP/1.1 200 OK\r\n\r\n'

interface Lab extends AsyncDisposable {
  readonly edge: FakeEdge
  readonly office: VpcBinding
}

async function open(serve: (visit: Visit) => void, options: object = {}): Promise<Lab> {
  const edge = await fakeEdge(serve, options)
  const office = vpcNetwork({ edge: edge.address, token: edge.token, network: 'office' })
  return {
    edge,
    office,
    async [Symbol.asyncDispose]() {
      await office.close()
      await edge[Symbol.asyncDispose]()
    },
  }
}

type Failed = Error & { readonly code?: string; readonly flow?: string }

async function thrown(promise: PromiseLike<unknown>): Promise<Failed> {
  return promise.then(
    () => assert.fail('expected a rejection'),
    (error: unknown) => error as Failed,
  )
}

/** What a connect and a fetch fail with, both. */
async function bothFail({ office }: Lab): Promise<Failed[]> {
  return [await thrown(office.connect('db:5432')), await thrown(office.fetch('http://db:8080/'))]
}

test('a connection says who calls, proves it, and asks for the address as it was written', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await open(({ socket }) => socket.end(OPEN))
  for (const [address, options, head] of [
    ['db.internal:5432', {}, /^CONNECT db\.internal\.c-[0-9a-f]{16}\.hawser:5432 HTTP\/1\.1\r\n\r\n$/],
    ['[fd00::1]:1', { secureTransport: 'on' }, /^CONNECT \[fd00::1\]\.s-/],
    ['127.1:25', { secureTransport: 'starttls' }, /^CONNECT 127\.1\.u-/],
  ] as const) {
    const socket = await lab.office.connect(address, options)
    assert.equal((await socket.opened).remoteAddress, address)
    await socket.close()
    const visit = lab.edge.visits.at(-1)
    assert.match(visit?.head ?? '', head)
    assert.equal(visit?.proven, true)
    assert.deepEqual({ ...visit?.hello, proof: '' }, { client: 'c-1', network: 'office', proof: '' })
  }
  const stock = vpcService({ edge: lab.edge.address, token: lab.edge.token, service: 'stock' })
  await (await stock.connect('x:1')).close()
  assert.equal(lab.edge.visits.at(-1)?.hello['service'], 'stock')
  assert.equal(lab.edge.visits.at(-1)?.proven, true)
})

test('a later connection resumes the TLS session, and proves the token anew', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await open(({ socket }) => socket.end(OPEN))
  for (let n = 0; n < 3; n += 1) {
    const socket = await lab.office.connect('db:1')
    await new Response(socket.readable).text() // the ticket comes before the end
    await socket.close()
  }
  assert.deepEqual(
    lab.edge.visits.map(({ resumed, proven }) => [resumed, proven]),
    [
      [false, true],
      [true, true],
      [true, true],
    ],
  )
  assert.equal(new Set(lab.edge.visits.map(({ hello }) => hello['proof'])).size, 3)
})

test('the secret is nowhere in what is sent', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await open(({ socket }) => socket.end(OPEN))
  await (await lab.office.connect('db:1')).close()
  const { secret } = JSON.parse(Buffer.from(lab.edge.token, 'base64').toString()) as { secret: string }
  const [visit] = lab.edge.visits
  assert.ok(!JSON.stringify([visit?.hello, visit?.head]).includes(secret.slice(0, 20)))
})

test('an answer in pieces opens the connection, and what came with it is read first', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const answer = async ({ socket }: Visit): Promise<void> => {
    for (const piece of ['HTTP/1.1 2', '00 OK\r\n\r', '\nfir', 'st']) {
      socket.write(piece)
      await new Promise(setImmediate)
    }
    socket.end(' last')
  }
  await using lab = await open((visit) => void answer(visit))
  const socket = await lab.office.connect('db:5432')
  assert.equal(await new Response(socket.readable).text(), 'first last')
})

test('what was written before the connection was open leaves once it is', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const got = Promise.withResolvers<string>()
  await using lab = await open(({ socket }) => {
    socket.once('data', (data: Buffer) => got.resolve(String(data)))
    socket.write(OPEN)
  })
  const socket = lab.office.connect('db:5432')
  await socket.writable.getWriter().write(new TextEncoder().encode('early'))
  assert.equal(await got.promise, 'early')
  await socket.close()
})

test('the edge’s reason is the error’s, with the flow', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const reason = JSON.stringify({ code: 'dns_error', message: 'no such name', flow: 'f-1' })
  const head = `HTTP/1.1 502 Bad Gateway\r\nhawser-error: dns_error\r\nContent-Length: ${reason.length}\r\n\r\n`
  await using lab = await open(({ socket }) => socket.end(head + reason))
  for (const error of await bothFail(lab)) {
    assert.equal(error.message, 'ProxyError: dns_error')
    assert.equal(error.code, 'dns_error')
    assert.equal(error.flow, 'f-1')
    assert.equal((error.cause as Error).message, 'no such name')
  }
})

test('a refusal without a reason that can be read is a failure with a code all the same', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await open(({ socket, head }) => {
    socket.end(
      head.startsWith('CONNECT')
        ? 'HTTP/1.1 502 Bad Gateway\r\n\r\n'
        : 'HTTP/1.1 502 Bad Gateway\r\nhawser-error: dns_timeout\r\nContent-Length: 1\r\n\r\n{',
    )
  })
  assert.deepEqual(
    (await bothFail(lab)).map(({ code }) => code),
    ['destination_unavailable', 'dns_timeout'],
  )
})

test('what does not answer as an edge does is unreachable as one', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  for (const serve of [
    ({ socket }: Visit) => void socket.end(),
    ({ socket }: Visit) => void socket.end('SSH-2.0-OpenSSH\r\n\r\n'),
    ({ tcp }: Visit) => void tcp.resetAndDestroy(),
    ({ tcp }: Visit) => void tcp.end(),
  ]) {
    await using lab = await open(serve)
    for (const error of await bothFail(lab)) {
      assert.equal(error.code, 'edge_unreachable')
      assert.ok(error.cause instanceof Error)
    }
  }
})

test('another protocol, an older TLS, and a certificate of another CA end before the hello', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  for (const [options, code] of [
    [{ ALPNProtocols: ['h2'] }, 'edge_unreachable'],
    [{ maxVersion: 'TLSv1.2' }, 'edge_unreachable'],
  ] as const) {
    await using lab = await open(() => {}, options)
    for (const error of await bothFail(lab)) assert.equal(error.code, code)
    assert.equal(lab.edge.visits.length, 0)
  }
  await using one = await open(() => {})
  await using two = await open(() => {})
  const wrong = vpcNetwork({ edge: one.edge.address, token: two.edge.token, network: 'office' })
  assert.equal((await thrown(wrong.connect('db:1'))).code, 'edge_certificate_error')
  assert.equal(one.edge.visits.length, 0)
})

test('a connection cut off below TLS is lost, not ended', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await open(({ socket, tcp }) => {
    socket.write(`${OPEN}half of`, () => tcp.end())
  })
  const reader = (await lab.office.connect('db:5432')).readable.getReader()
  assert.equal(new TextDecoder().decode((await reader.read()).value), 'half of')
  assert.equal((await thrown(reader.read())).message, 'Network connection lost.')
})

test('an answer to fetch() that is cut off fails where it is read', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await open(({ socket, tcp }) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => tcp.resetAndDestroy())
  })
  const response = await lab.office.fetch('http://db:8080/')
  assert.equal(response.status, 200)
  await assert.rejects(response.text())
})

test('a name that no certificate bears is not sent anywhere', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using lab = await open(({ socket }) => void socket.write(OPEN))
  const socket = await lab.office.connect('db:5432', { secureTransport: 'starttls' })
  const secure = socket.startTls({ expectedServerHostname: 'evil\r\nX: y' })
  assert.equal((await thrown(secure.opened)).code, 'tls_certificate_error')
  assert.equal(lab.edge.visits.length, 1)
})
