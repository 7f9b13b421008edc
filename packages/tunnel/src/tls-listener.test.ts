import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { HawserError, Secret } from '@hawser/core'
import { assertNoLeaks, CapturedLog, createAuthority } from '@hawser/testkit'
import { TlsListener } from './tls-listener.ts'
import type { Arrival, TlsListenerOptions } from './tls-listener.ts'

const TEST = { timeout: 10_000 } as const
const authority = await createAuthority()
const certificate = await authority.issue({ names: ['edge.test'] })
const other = await authority.issue({ names: ['renewed.test'] })

interface Tested extends AsyncDisposable {
  readonly listener: TlsListener
  readonly log: CapturedLog
  /** What the handler of protocol `one` has been given. */
  readonly arrivals: Arrival[]
  tcp(): Promise<Socket>
  tls(options?: ConnectionOptions): TLSSocket
  /** The refusals in the log, as reasons. */
  refusals(): string[]
}

async function listen(options: Partial<TlsListenerOptions> = {}): Promise<Tested> {
  const log = new CapturedLog()
  const arrivals: Arrival[] = []
  const listener = new TlsListener({
    listen: { host: '127.0.0.1', port: 0 },
    certPem: certificate.certPem,
    keyPem: new Secret(certificate.keyPem),
    protocols: new Map([['one', (arrival: Arrival) => void arrivals.push(arrival)]]),
    handshakeTimeoutMs: 5_000,
    maxStrangers: 10,
    logger: log,
    ...options,
  })
  await listener.listen()
  const { host, port } = listener.address
  const clients: Socket[] = []
  const keep = <T extends Socket>(socket: T): T => {
    socket.on('error', () => {})
    socket.resume()
    clients.push(socket)
    return socket
  }
  return {
    listener,
    log,
    arrivals,
    tcp: async () => {
      const socket = keep(connectTcp({ host, port }))
      await once(socket, 'connect')
      return socket
    },
    tls: (more = {}) =>
      keep(connectTls({ host, port, servername: 'edge.test', ca: authority.caPem, ALPNProtocols: ['one'], ...more })),
    refusals: () => {
      const lines = log.at('warn')
      for (const { message, fields } of lines) {
        assert.equal(message, 'refused a connection on the tunnel listener')
        assert.match(String(fields['remoteAddress']), /^127\.0\.0\.1:\d+$/)
      }
      return lines.map(({ fields }) => String(fields['reason']))
    },
    [Symbol.asyncDispose]: async () => {
      for (const { socket } of arrivals) socket.destroy()
      for (const client of clients) client.destroy()
      await listener.close()
    },
  }
}

function closed(socket: Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()))
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}

describe('TlsListener', () => {
  test('hands a connection to the handler of its protocol, with the address it came from', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen()
    const client = tested.tls()
    await once(client, 'secureConnect')
    await until(() => tested.arrivals.length === 1)
    assert.equal(client.alpnProtocol, 'one')
    assert.equal(client.getProtocol(), 'TLSv1.3')
    assert.equal(tested.arrivals[0]?.remoteAddress, `127.0.0.1:${client.localPort}`)
    assert.deepEqual(tested.refusals(), [])
  })

  test('chooses among several protocols by its own order, not the order of the client', TEST, async (t) => {
    assertNoLeaks(t)
    const chosen: string[] = []
    const handler = ({ socket }: Arrival): void => {
      chosen.push(String(socket.alpnProtocol))
      socket.destroy()
    }
    await using tested = await listen({
      protocols: new Map([
        ['one', handler],
        ['h2', handler],
      ]),
    })
    for (const ALPNProtocols of [['h2'], ['h2', 'one'], ['other', 'h2']]) await closed(tested.tls({ ALPNProtocols }))
    assert.deepEqual(chosen, ['h2', 'one', 'h2'])
  })

  test('refuses a protocol it does not know with the alert that says so', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen()
    const [error] = (await once(tested.tls({ ALPNProtocols: ['http/1.1'] }), 'error')) as [Error]
    assert.match(error.message, /no application protocol/i)
    await until(() => tested.refusals().length > 0)
    assert.equal(tested.refusals().length, 1)
    assert.equal(tested.arrivals.length, 0)
  })

  test('refuses a client that offers no protocol', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen()
    await closed(tested.tls({ ALPNProtocols: [] }))
    assert.deepEqual(tested.refusals(), ['the client offered no ALPN protocol'])
  })

  test('refuses TLS 1.2', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen()
    await closed(tested.tls({ maxVersion: 'TLSv1.2' }))
    await until(() => tested.refusals().length > 0)
    assert.equal(tested.refusals().length, 1)
  })

  for (const [name, bytes] of [
    ['random bytes', randomBytes(4_096)],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: edge\r\n\r\n')],
    ['frames without TLS', Buffer.alloc(12)],
  ] as const) {
    test(`refuses ${name}, once`, TEST, async (t) => {
      assertNoLeaks(t)
      await using tested = await listen()
      const client = await tested.tcp()
      client.write(bytes)
      await closed(client)
      await until(() => tested.refusals().length > 0)
      assert.equal(tested.refusals().length, 1)
    })
  }

  test('refuses a client that does not come to an end with its handshake', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen({ handshakeTimeoutMs: 50 })
    const silent = await tested.tcp()
    const slow = await tested.tcp()
    slow.write(Buffer.from('1603010200', 'hex')) // the beginning of a TLS record
    await Promise.all([closed(silent), closed(slow)])
    assert.deepEqual(tested.refusals(), ['TLS handshake timeout', 'TLS handshake timeout'])
  })

  test('does not call it a refusal when a client hangs up by itself', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen()
    const client = await tested.tcp()
    client.destroy()
    await until(() => tested.log.at('debug').length > 0)
    assert.deepEqual(tested.refusals(), [])
  })

  test('a client that does not trust the certificate is logged once', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen()
    const { caPem } = await createAuthority()
    await closed(tested.tls({ ca: caPem }))
    await until(() => tested.refusals().length + tested.log.at('debug').length > 0)
    assert.ok(tested.refusals().length <= 1)
    assert.equal(tested.arrivals.length, 0)
  })

  test(
    'has room for so many strangers, refuses more, and has room again when one is admitted or gone',
    TEST,
    async (t) => {
      assertNoLeaks(t)
      await using tested = await listen({ maxStrangers: 2 })
      const waiting = await tested.tcp()
      const arriving = tested.tls()
      await once(arriving, 'secureConnect')
      await until(() => tested.arrivals.length === 1)
      const refuse = async (): Promise<void> => closed(await tested.tcp())
      await refuse()
      await refuse()
      assert.deepEqual(
        tested.refusals(),
        Array.from({ length: 2 }, () => '2 connections have not registered yet'),
      )
      tested.arrivals[0]?.admit()
      await once(tested.tls(), 'secureConnect')
      await refuse()
      waiting.destroy()
      await until(() => tested.log.at('debug').length > 0)
      await once(tested.tls(), 'secureConnect')
      await until(() => tested.arrivals.length === 3)
      await refuse()
      assert.equal(tested.refusals().length, 4)
    },
  )

  test('a refusal by the handler is logged once, however often it is said', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen()
    const client = tested.tls()
    await once(client, 'secureConnect')
    await until(() => tested.arrivals.length === 1)
    const [arrival] = tested.arrivals
    arrival?.refuse(new HawserError('tunnel_auth_failed', 'no'))
    arrival?.refuse(new HawserError('tunnel_closed', 'no again'))
    arrival?.socket.destroy()
    await closed(client)
    assert.deepEqual(tested.refusals(), ['no'])
    assert.equal(tested.log.at('warn')[0]?.fields['code'], 'tunnel_auth_failed')
  })

  test('shows a renewed certificate on connections from then on', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen()
    tested.listener.renew({ certPem: other.certPem, keyPem: new Secret(other.keyPem) })
    const client = tested.tls({ servername: 'renewed.test' })
    await once(client, 'secureConnect')
    assert.equal(client.getPeerCertificate().subject.CN, 'renewed.test')
    await until(() => tested.arrivals.length === 1)
  })

  test('an address that is taken is listen_failed, naming it', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen()
    await assert.rejects(listen({ listen: tested.listener.address }), {
      code: 'listen_failed',
      message: new RegExp(`127\\.0\\.0\\.1:${tested.listener.address.port}`),
    })
  })

  test('closing drops the strangers without a word', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await listen()
    const client = await tested.tcp()
    await Promise.all([tested.listener.close(), closed(client)])
    assert.deepEqual(tested.refusals(), [])
  })
})
