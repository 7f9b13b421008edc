import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { readStatus, TestSite } from '../test-site.ts'
import { authority, issue, issueExpired, issueSelfSigned, serveTls } from '../tls/test-peer.ts'
import type { Identity } from '../tls/test-peer.ts'

import { ADDRESS, ID, SECRET, StartTlsSite } from './test-start-tls.ts'

const TIMEOUT = { timeout: 10_000 }

test('startTls: the second connection carries on where the first ended, encrypted on the wire', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open()
  const { status, socket } = await site.upgrade()
  assert.equal(status, 200)
  socket.write(SECRET)
  assert.equal((await once(socket, 'data')).toString(), `got ${SECRET}`)
  assert.equal(site.site.services.invocations.size, 1) // both connections of the Worker are one
  site.assertSecret()
  assert.ok(!site.received.toString('latin1').includes('s3cret'))
  socket.end()
  await once(socket.resume(), 'end')
  const flow = await site.flow()
  assert.deepEqual(
    [flow.outcome, flow.kind, flow.requested, flow.target?.tls, flow.bytesSent, flow.bytesReceived],
    ['ok', 'connect', ADDRESS, true, 9 + SECRET.length, 3 + 4 + SECRET.length],
  )
  assert.deepEqual(flow.tls, { protocol: 'TLSv1.3', authorized: true, rule: 'mail.internal' })
  assert.ok((flow.timings.secure ?? 0) > 0)
})

test(
  'startTls: what the Worker writes to the second connection too early waits for the handshake',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using site = await StartTlsSite.open()
    const old = await site.agree()
    const socket = await site.successor()
    socket.write(SECRET)
    await site.mark()
    await text(old)
    old.end()
    assert.equal(await readStatus(socket), 200)
    assert.equal((await once(socket.resume(), 'data')).toString(), `got ${SECRET}`)
    site.assertSecret()
  },
)

test('startTls: the two words may come in any order, the mark before the connection stands too', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({ reply: '' })
  const early = await site.successor() // overtakes the connection it belongs to
  const gate = Promise.withResolvers<void>()
  const dial = site.site.network.dial.bind(site.site.network)
  site.site.network.dial = async (target, signal) => {
    await gate.promise
    return dial(target, signal)
  }
  const old = await site.site.knock('tcp')
  old.write(`CONNECT ${site.site.authority(ADDRESS, ID, 'u')} HTTP/1.1\r\n\r\nSTARTTLS\n`)
  while (site.site.binding.open.size === 0) await new Promise(setImmediate)
  assert.equal(await site.mark(), 204)
  gate.resolve()
  assert.equal(await readStatus(old), 200)
  assert.equal(await text(old), '')
  old.end()
  assert.equal(await readStatus(early), 200)
})

test('startTls: a long queue in clear goes out before the handshake', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const bytes = 3_000_000
  await using site = await TestSite.open({
    identity: { tls: [{ host: 'mail.internal', caPem: (await authority()).caPem }] },
  })
  const identity = await issue({ names: ['mail.internal'] })
  let clear = 0
  await site.serve(ADDRESS, (socket) => {
    socket.on('readable', function onReadable() {
      for (;;) {
        const chunk: Buffer | null =
          clear < bytes ? (socket.read(Math.min(bytes - clear, socket.readableLength)) ?? null) : null
        if (chunk === null) break
        clear += chunk.length
      }
      if (clear < bytes) return
      socket.off('readable', onReadable)
      serveTls(socket, identity).end('secure')
    })
  })
  const { socket: old } = await site.connect(ADDRESS, ID, 'u')
  old.end(Buffer.alloc(bytes, 'x')) // the mark comes before it has left
  const socket = await site.knock('tcp')
  socket.write(`CONNECT ${site.authority(ADDRESS, ID, 't')} HTTP/1.1\r\n\r\n`)
  assert.equal((await site.fetch('POST', `http://flows.hawser/${ID}/upgrade`)).status, 204)
  assert.equal(await readStatus(socket), 200)
  assert.equal((await once(socket.resume(), 'data')).toString(), 'secure')
  assert.equal(clear, bytes)
})

test('startTls: the certificate must bear the name that the successor gives', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using good = await StartTlsSite.open({ identity: await issue({ names: ['expected.example'] }) })
  assert.equal((await good.upgrade('expected.example:25')).status, 200)
  await using bad = await StartTlsSite.open()
  assert.equal((await bad.upgrade('expected.example:25')).status, 502)
  assert.equal((await bad.outcome()).code, 'tls_certificate_error')
})

const BAD: readonly (readonly [what: string, identity: () => Promise<Identity>])[] = [
  ['another name', () => issue({ names: ['other.internal'] })],
  ['a date in the past', issueExpired],
  ['its own signature', issueSelfSigned],
]

for (const [what, identity] of BAD) {
  test(`startTls: a certificate with ${what} ends the connection, and no byte leaks`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    await using site = await StartTlsSite.open({ identity: await identity() })
    const old = await site.agree()
    const socket = await site.successor()
    socket.write(SECRET)
    await site.mark()
    await text(old)
    old.end()
    assert.equal(await readStatus(socket), 502)
    await site.ended.promise
    site.assertSecret()
    const flow = await site.flow()
    assert.deepEqual([flow.error?.code, flow.outcome], ['tls_certificate_error', 'error'])
    assert.deepEqual(await site.outcome(), {
      code: 'tls_certificate_error',
      message: flow.error?.message,
      flow: flow.id,
    })
  })
}

test('startTls: a server that answers the hello in clear gets nothing', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({
    instead: (socket) => socket.once('data', () => socket.write('502 no TLS here\r\n')),
  })
  const old = await site.agree()
  const socket = await site.successor()
  socket.write(SECRET)
  await site.mark()
  await text(old)
  old.end()
  assert.equal(await readStatus(socket), 502)
  await site.ended.promise
  site.assertSecret()
  assert.equal((await site.flow()).error?.code, 'tls_protocol_error')
})

test(
  'startTls: bytes injected in clear behind the reply, before the mark, come out of the old stream',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using site = await StartTlsSite.open({ reply: 'GO\n250 injected\n' })
    const old = await site.agree(3)
    const socket = await site.successor()
    await site.mark()
    assert.equal(await text(old), '250 injected\n') // upon which the module gives up
    assert.equal((await site.site.fetch('POST', `http://flows.hawser/${ID}/abort`)).status, 204)
    assert.equal(await readStatus(socket), 502)
    await site.ended.promise
    assert.equal(site.sent.toString(), 'STARTTLS\n')
    assert.equal((await site.flow()).outcome, 'aborted')
  },
)

test('startTls: bytes injected in clear after the mark are part of the handshake, and break it', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const inject = Promise.withResolvers<void>()
  const injected = Promise.withResolvers<void>()
  await using site = await StartTlsSite.open({
    instead: (socket) => void inject.promise.then(() => socket.write('250 injected\n', () => injected.resolve())),
  })
  const old = await site.agree()
  const socket = await site.successor()
  socket.write(SECRET)
  await site.mark()
  assert.equal(await text(old), '')
  inject.resolve()
  await injected.promise
  old.end()
  assert.equal(await readStatus(socket), 502)
  await site.ended.promise
  site.assertSecret()
  const flow = await site.flow()
  assert.deepEqual([flow.error?.code, flow.bytesReceived], ['tls_protocol_error', 3])
})

test('startTls: a target that ends between the mark and the handshake ends the flow', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({ instead: () => {} })
  const old = await site.agree()
  const socket = await site.successor()
  await site.mark()
  await text(old)
  site.target?.end()
  old.end()
  assert.equal(await readStatus(socket), 502)
  assert.equal((await site.flow()).error?.code, 'tls_protocol_error')
})

test('startTls: a target that resets between the mark and the handshake ends both connections', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({ instead: () => {} })
  const old = await site.agree()
  const socket = await site.successor()
  await site.mark()
  await text(old)
  site.target?.resetAndDestroy()
  assert.equal(await readStatus(socket), 502)
  assert.equal((await site.flow()).error?.code, 'connection_terminated')
})

test('startTls: a Worker that leaves in mid-handshake ends it', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const hello = Promise.withResolvers<void>()
  await using site = await StartTlsSite.open({ instead: (socket) => socket.once('data', () => hello.resolve()) })
  const old = await site.agree()
  const socket = await site.successor()
  await site.mark()
  await text(old)
  old.end()
  await hello.promise
  socket.destroy()
  await site.ended.promise
  const flow = await site.flow()
  assert.deepEqual([flow.outcome, flow.error?.code], ['aborted', 'connection_aborted'])
})

test(
  'startTls: a Worker whose first connection breaks after the mark takes the second one with it',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using site = await StartTlsSite.open()
    const old = await site.agree()
    const socket = await site.successor()
    await site.mark()
    await text(old)
    old.resetAndDestroy()
    assert.equal(await readStatus(socket), 502)
    assert.equal((await site.flow()).outcome, 'aborted')
  },
)

test('startTls: a handshake that hangs is given up', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({ instead: (socket) => socket.resume() })
  const limits = site.site.services.limits as { handshakeTimeoutMs: number }
  limits.handshakeTimeoutMs = 20
  const { status } = await site.upgrade()
  assert.equal(status, 502)
  assert.equal((await site.flow()).error?.code, 'tls_protocol_error')
  await site.ended.promise
})

test('startTls: a mark without a successor ends the flow after a while', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({}, 20)
  const old = await site.agree()
  await site.mark()
  await text(old)
  old.end()
  await site.ended.promise
  const flow = await site.flow()
  assert.match(flow.error?.message ?? '', /the connection that was to carry on did not come/)
})

test('startTls: a successor without a mark ends the flow after a while', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({}, 20)
  const old = await site.agree()
  const socket = await site.successor()
  assert.equal(await readStatus(socket), 502)
  await site.ended.promise
  old.destroy()
  assert.match((await site.flow()).error?.message ?? '', /word that it may begin did not come/)
})

test(
  'startTls: a successor that gives up before the mark leaves the connection in clear as it was',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using site = await StartTlsSite.open({
      instead: (socket) => socket.once('data', () => socket.end('still here')),
    })
    const old = await site.agree()
    const socket = await site.successor()
    socket.destroy()
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate)
    old.end('x')
    assert.equal(await text(old), 'still here')
    assert.equal((await site.flow()).outcome, 'ok')
  },
)

test('startTls: a connection in clear that ends takes a waiting successor with it, and says so', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({ instead: (socket) => socket.end() })
  const old = await site.agree()
  const socket = await site.successor()
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate)
  old.end()
  assert.equal(await readStatus(socket), 502)
  assert.equal((await site.flow()).outcome, 'ok')
  assert.equal((await site.outcome()).code, 'connection_terminated')
  assert.equal(await site.mark(), 404)
})

test('startTls: a connection that is not there cannot be upgraded', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({}, 20)
  assert.equal(await site.mark('unknown'), 404)
  const socket = await site.successor(ADDRESS, 'unknown')
  assert.equal(await readStatus(socket), 502)
  assert.equal((await site.outcome('unknown')).code, 'tls_protocol_error')
})

test('startTls: nor can one that was not meant for it, and it goes on', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({}, 20)
  const { socket: plain } = await site.site.connect(ADDRESS, ID, 'c')
  assert.equal(await site.mark(), 404)
  assert.equal(await readStatus(await site.successor()), 502)
  plain.write('STARTTLS\n')
  assert.equal((await once(plain.resume(), 'data')).toString(), 'GO\n')
})

test('startTls: nor can one that has been upgraded, or is about to be', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open()
  const old = await site.agree()
  const socket = await site.successor()
  assert.equal(await site.mark(), 204)
  assert.equal(await site.mark(), 409)
  assert.equal(await readStatus(await site.successor()), 502)
  await text(old)
  old.end()
  assert.equal(await readStatus(socket), 200)
  assert.equal(await site.mark(), 409)
  socket.write('x')
  assert.equal((await once(socket.resume(), 'data')).toString(), 'got x')
})

test('startTls: nor can one whose Worker has said its last', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({ instead: () => {} })
  const old = await site.agree()
  old.end()
  await once(site.target ?? old, 'end')
  assert.equal(await site.mark(), 409)
})

test('startTls: one binding cannot upgrade what another has opened', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({}, 20)
  const old = await site.agree()
  await using other = await site.site.openBinding({ binding: 'OTHER' })
  const asking = await site.site.knock('unix', other)
  asking.write(`POST http://flows.hawser/${ID}/upgrade HTTP/1.1\r\nContent-Length: 0\r\n\r\n`)
  assert.match((await once(asking, 'data')).toString(), /^HTTP\/1.1 404/)
  asking.destroy()
  old.destroy()
})

test(
  'startTls: a plain use of such a connection is as any other, half-closes and resets included',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using site = await TestSite.open()
    await site.serve(ADDRESS, async (socket) => void socket.end(`got ${await text(socket)}`))
    const { socket } = await site.connect(ADDRESS, ID, 'u')
    socket.end('a question')
    assert.equal(await text(socket), 'got a question')
    assert.equal((await site.flowsEnded(1))[0]?.outcome, 'ok')
    await site.serve('reset.internal:1', (target) => target.once('data', () => target.resetAndDestroy()))
    const { socket: second } = await site.connect('reset.internal:1', ID, 'u')
    second.write('x')
    const [error] = await once(second.resume(), 'error')
    assert.equal((error as { code: string }).code, 'ECONNRESET')
  },
)

test('startTls: an edge that closes ends an upgrade under way', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await StartTlsSite.open({ instead: () => {} })
  const old = await site.agree()
  const socket = await site.successor()
  await site.mark()
  await text(old)
  await site.site.binding.close(0)
  assert.equal(await readStatus(socket), 502)
  await site.ended.promise
})
