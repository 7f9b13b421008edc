import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { before, test } from 'node:test'
import { createServer } from 'node:tls'
import type { Server, TLSSocket } from 'node:tls'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import type { TestCertificate } from '@hawser/testkit'
import { secureStream } from './tls-stream.ts'

const TIMEOUT = { timeout: 10_000 }

let caPem: string
let certificate: TestCertificate

before(async () => {
  const authority = await createAuthority()
  caPem = authority.caPem
  certificate = await authority.issue()
})

/** A TLS server, and one client of it; `tcp` is what the server has below. */
class Line implements AsyncDisposable {
  readonly server: Server
  readonly client: TLSSocket
  readonly accepted: TLSSocket
  /** TCP on the server's side, and on the client's. */
  readonly below: Socket
  readonly tcp: Socket

  private constructor(server: Server, client: TLSSocket, accepted: TLSSocket, below: Socket, tcp: Socket) {
    this.server = server
    this.tcp = tcp
    this.client = client
    this.accepted = accepted
    this.below = below
  }

  static async open(): Promise<Line> {
    const options = { cert: certificate.certPem, key: certificate.keyPem, allowHalfOpen: true }
    const server = createServer(options).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const tcp = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true })
    const connections = Promise.all([once(server, 'connection'), once(server, 'secureConnection')])
    await once(tcp, 'connect')
    const client = secureStream(tcp, { ca: caPem, servername: 'localhost' })
    const [[below], [accepted]] = (await connections) as [[Socket], [TLSSocket]]
    accepted.on('error', () => {})
    await new Promise(setImmediate) // within the event of the handshake Node ends without a farewell
    return new Line(server, client, accepted, below, tcp)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy()
    this.accepted.destroy()
    await new Promise((resolve) => this.server.close(resolve))
  }
}

test('TLS: what is sent arrives, both ways, and an end is a half-close', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using line = await Line.open()
  const data = Buffer.alloc(2_000_000, 'pattern')
  line.client.end(data)
  assert.ok((await buffer(line.accepted)).equals(data))
  line.accepted.end(data)
  assert.ok((await buffer(line.client)).equals(data))
})

test('TLS: a connection cut off without a farewell fails, once what came before has been read', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using line = await Line.open()
  line.accepted.write('half of')
  const chunks: string[] = []
  line.client.on('data', (chunk: Buffer) => {
    chunks.push(String(chunk))
    line.below.end() // TCP ends, and TLS has said nothing
  })
  const [error] = (await once(line.client, 'error')) as [Error & { code?: string }]
  assert.match(error.message, /cut off without a farewell/)
  assert.equal(error.code, 'ECONNRESET')
  assert.deepEqual(chunks, ['half of'])
})

test('TLS: a farewell that is read late is one all the same', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using line = await Line.open()
  line.client.pause()
  line.accepted.end('all of it')
  await once(line.accepted, 'finish')
  assert.equal(await text(line.client), 'all of it')
})

test('TLS: a reset is an error', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using line = await Line.open()
  const failed = once(line.client.resume(), 'error')
  line.below.resetAndDestroy()
  const [error] = (await failed) as [Error & { code?: string }]
  assert.equal(error.code, 'ECONNRESET')
})

test('TLS: a slow reader stops the sender', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using line = await Line.open()
  line.client.pause()
  line.accepted.write(Buffer.alloc(64_000_000))
  for (let before = -1; before !== line.tcp.bytesRead;) {
    before = line.tcp.bytesRead
    await new Promise((resolve) => setTimeout(resolve, 50)) // until nothing moves any more
  }
  assert.ok(line.tcp.bytesRead < 1_000_000, `${line.tcp.bytesRead} bytes were read ahead`)
  line.client.destroy()
})
