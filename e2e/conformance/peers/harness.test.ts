import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { assertNoLeaks } from '@hawser/testkit'
import { Peer } from '../support/peer.ts'
import type { PeerName } from '../support/peer.ts'
import { makeCertificates } from './certificates.ts'
import type { Certificates } from './certificates.ts'
import { Harness } from './harness.ts'

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

let certificates: Certificates

before(async () => {
  certificates = await makeCertificates()
})

/** One peer, asked the way a behaviour asks, and a way to connect to it. */
async function withPeer(
  name: PeerName,
  work: (peer: Peer, dial: (host?: string) => Socket) => Promise<void>,
): Promise<void> {
  await using harness = await Harness.start(certificates)
  const ask = async (path: string, body: unknown): Promise<unknown> => {
    const headers = { connection: 'close' }
    const response = await fetch(`${harness.url}${path}`, { method: 'POST', body: JSON.stringify(body), headers })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return response.json()
  }
  const invoke = (order: object): Promise<object> => Promise.resolve({ value: order })
  await harness.withPeer(name, invoke, async (place) => {
    const dial = (host = place.host): Socket => {
      const socket = connect({ host, port: place.port, allowHalfOpen: true })
      socket.on('error', () => {})
      return socket
    }
    await work(new Peer(place, ask), dial)
  })
}

test('a live peer reports what it received and in which order, and acts when told', async (t) => {
  assertNoLeaks(t)
  await withPeer('live', async (peer, dial) => {
    const socket = dial()
    await peer.accepted()
    socket.write('hello')
    assert.equal((await peer.received(5)).text, 'hello')
    await peer.send('answer')
    await peer.end()
    assert.equal(await text(socket), 'answer')
    socket.end()
    assert.deepEqual((await peer.saw('close')).events, ['open', 'data', 'end', 'close'])
    assert.equal(await peer.connections(), 1)
  })
})

test('a peer answers on both loopback addresses', { skip: !hasIPv6 && 'no IPv6 here' }, async (t) => {
  assertNoLeaks(t)
  await withPeer('live', async (peer, dial) => {
    const sockets = [dial('127.0.0.1'), dial('::1')]
    await peer.accepted(1)
    for (const socket of sockets) socket.destroy()
  })
})

test('reset() is seen as ECONNRESET, and a reset of the client as reset', async (t) => {
  assertNoLeaks(t)
  await withPeer('live', async (peer, dial) => {
    const socket = dial()
    await peer.accepted()
    const error = once(socket, 'error')
    await peer.reset()
    assert.equal(((await error)[0] as NodeJS.ErrnoException).code, 'ECONNRESET')
    const second = dial()
    await peer.accepted(1)
    second.resetAndDestroy()
    assert.ok((await peer.saw('reset', 1)).events.includes('reset'))
  })
})

test('a paused peer takes nothing until it is resumed', async (t) => {
  assertNoLeaks(t)
  await withPeer('paused', async (peer, dial) => {
    const socket = dial()
    await peer.accepted()
    socket.write('waiting')
    assert.equal((await peer.report()).bytes, 0)
    await peer.resume()
    assert.equal((await peer.received(7)).text, 'waiting')
    socket.destroy()
  })
})

test('a refusing peer holds a port that nobody listens on', async (t) => {
  assertNoLeaks(t)
  await withPeer('refuse', async (_peer, dial) => {
    const [error] = (await once(dial(), 'error')) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ECONNREFUSED')
  })
})

test('a TLS peer tells the server name, and clear bytes from those after the handshake', async (t) => {
  assertNoLeaks(t)
  await withPeer('starttls', async (peer, dial) => {
    const plain = dial()
    await once(plain, 'data')
    plain.write('STARTTLS\r\n')
    await once(plain, 'data')
    const secure = connectTls({ socket: plain, servername: 'localhost', ca: certificates.caPem })
    secure.write('secret')
    const { clear, text: received, handshake, serverName } = await peer.received(16)
    assert.deepEqual(
      { clear, received, handshake, serverName },
      { clear: 'STARTTLS\r\n', received: 'STARTTLS\r\nsecret', handshake: '16', serverName: 'localhost' },
    )
    secure.destroy()
  })
})

for (const name of ['tls-wrong-name', 'tls-expired', 'tls-untrusted', 'tls-self-signed'] as const) {
  test(`the certificate of ${name} is refused by a client that trusts the test CA`, async (t) => {
    assertNoLeaks(t)
    await withPeer(name, async (peer) => {
      const client = connectTls({ host: '127.0.0.1', port: peer.port, servername: 'localhost', ca: certificates.caPem })
      await assert.rejects(once(client, 'secureConnect'), /certificate|altnames/i)
      client.destroy()
    })
  })
}

test('what waits for a peer that is closed fails instead of waiting for ever', async (t) => {
  assertNoLeaks(t)
  let waiting: Promise<unknown> = Promise.resolve()
  await withPeer('live', async (peer) => {
    waiting = assert.rejects(peer.accepted())
    await peer.ping()
  })
  await waiting
})

test('an act is passed to whoever runs the behaviour', async (t) => {
  assertNoLeaks(t)
  await using harness = await Harness.start(certificates)
  const order = { id: 'S-182', act: 'keep', value: 1 }
  await harness.withPeer(
    'live',
    (given) => Promise.resolve({ value: given.act }),
    async (place) => {
      const body = JSON.stringify({ ...order, place })
      const response = await fetch(`${harness.url}/invoke`, { method: 'POST', body, headers: { connection: 'close' } })
      assert.deepEqual(await response.json(), { value: 'keep' })
    },
  )
})
