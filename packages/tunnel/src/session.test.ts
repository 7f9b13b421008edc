import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { finished } from 'node:stream/promises'
import { HawserError } from '@hawser/core'
import { assertNoLeaks, PAIRS } from '@hawser/testkit'
import { sessionPair, streamPair } from './session-pair.ts'
import type { TestStream } from './session-pair.ts'

const TEST = { timeout: 30_000 } as const

async function checksum(stream: TestStream): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of stream) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

for (const [transport, pair] of Object.entries(PAIRS)) {
  describe(`MuxSession over ${transport}`, () => {
    test('either side opens streams, and both directions carry bytes', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      for (const [from, to, firstId] of [
        [client, server, 1],
        [server, client, 2],
      ] as const) {
        const [opened, accepted] = await streamPair(from, to)
        assert.equal(opened.id, firstId)
        assert.equal(accepted.id, firstId)
        opened.end('question')
        assert.equal(await text(accepted), 'question')
        accepted.end('answer')
        assert.equal(await text(opened), 'answer')
      }
      assert.equal(client.session.streamCount, 0)
      assert.equal(server.session.streamCount, 0)
    })

    test(
      'the first message leaves with the frame that opens the stream, and more may follow at once',
      TEST,
      async (t) => {
        assertNoLeaks(t)
        await using sessions = await sessionPair(pair)
        const { client, server } = sessions
        const opened = client.open(Buffer.from('first,'))
        opened.end('second')
        assert.equal(await text(await server.accept()), 'first,second')
        opened.destroy()
      },
    )

    test('an end is a half-close, in either direction', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        const [opened, accepted] = await streamPair(from, to)
        accepted.end() // the accepting side ends first, without a byte
        assert.equal(await text(opened), '')
        const big = randomBytes(700_000)
        opened.end(big)
        assert.equal(await checksum(accepted), sha256(big))
      }
    })

    test('a reset is an error at the other side, and frees both', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      const [opened, accepted] = await streamPair(client, server)
      accepted.write('half an ans')
      await once(opened, 'readable')
      const failed = once(opened, 'error')
      accepted.resetAndDestroy()
      let answer = ''
      opened.on('data', (chunk: Buffer) => (answer += chunk.toString()))
      const [error] = (await failed) as [HawserError]
      assert.equal(answer, 'half an ans')
      assert.ok(HawserError.is(error, 'connection_terminated'), String(error))
      assert.equal(client.session.streamCount, 0)
      assert.equal(server.session.streamCount, 0)
    })

    test('a thousand streams at once arrive whole, whatever is sent on them', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      const echoed = (async () => {
        for (let count = 0; count < 1_000; count += 1) {
          const stream = await server.accept()
          stream.pipe(stream)
        }
      })()
      await Promise.all(
        Array.from({ length: 1_000 }, async (_, index) => {
          const bytes = randomBytes(1 + ((index * 7_919) % 40_000))
          const stream = client.open()
          const echo = checksum(stream)
          for (let at = 0; at < bytes.length; at += 9_999) stream.write(bytes.subarray(at, at + 9_999))
          stream.end()
          assert.equal(await echo, sha256(bytes))
        }),
      )
      await echoed
      assert.equal(client.session.streamCount, 0)
      assert.equal(server.session.streamCount, 0)
      assert.equal(client.session.outboundCount, 0)
    })

    test('a stream that nobody reads stops its writer and nobody else', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      const [stuck, unread] = await streamPair(client, server)
      stuck.on('error', () => {})
      unread.on('error', () => {})
      stuck.write(Buffer.alloc(1_000_000))
      const [moving, read] = await streamPair(client, server)
      const bytes = randomBytes(3_000_000)
      moving.end(bytes)
      assert.equal(await checksum(read), sha256(bytes))
      assert.equal(unread.bufferedBytes, 256 * 1024) // its window, to the byte
      assert.equal(stuck.sendCredit, 0)
      assert.equal(stuck.writableNeedDrain, true)
      read.end()
      await finished(moving.resume())
    })

    test('a reader that wakes up late gets everything', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      const [opened, accepted] = await streamPair(client, server)
      const bytes = randomBytes(2_000_000)
      opened.end(bytes)
      while (accepted.bufferedBytes < 256 * 1024) await new Promise(setImmediate)
      assert.equal(await checksum(accepted), sha256(bytes))
      accepted.end()
      await finished(opened.resume())
    })

    test('an agreed end settles both sides without an error', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      client.session.end()
      assert.equal(await client.session.closed, undefined)
      assert.equal(await server.session.closed, undefined)
    })

    test('streams that are open when the session ends fail with its code', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      const [opened, accepted] = await streamPair(client, server)
      const failures = Promise.all([once(opened, 'error'), once(accepted, 'error')])
      client.session.end()
      for (const [error] of await failures) assert.equal((error as HawserError).code, 'tunnel_closed')
      assert.throws(() => client.open(), { code: 'tunnel_closed' })
      assert.throws(() => server.open(), { code: 'tunnel_closed' })
    })

    test('after a go-away open streams go on, and new ones are refused at both ends', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      const [opened, accepted] = await streamPair(client, server)
      server.session.goAway()
      const late = client.open() // the go-away is under way
      const [error] = (await once(late, 'error')) as [HawserError]
      assert.equal(error.code, 'connection_terminated')
      assert.equal(client.session.acceptsStreams, false)
      assert.throws(() => client.open(), { code: 'tunnel_closed' })
      assert.throws(() => server.open(), { code: 'tunnel_closed' })
      opened.end('still here')
      assert.equal(await text(accepted), 'still here')
      accepted.end()
      await finished(opened.resume())
      await client.session.whenIdle()
    })

    test('a ping measures the round trip', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      assert.ok((await client.session.ping()) > 0)
      assert.ok((await server.session.ping()) > 0)
      assert.ok(client.session.pool.roundTripMs > 0)
    })

    test('a transport that breaks fails the session and its streams', TEST, async (t) => {
      assertNoLeaks(t)
      const [one, other] = await pair()
      await using sessions = await sessionPair(() => [one, other])
      const { client, server } = sessions
      const [opened, accepted] = await streamPair(client, server)
      const failures = Promise.all([once(opened, 'error'), once(accepted, 'error')])
      one.destroy()
      for (const [error] of await failures) assert.equal((error as HawserError).code, 'tunnel_closed')
      assert.equal((await client.session.closed)?.code, 'tunnel_closed')
      assert.equal((await server.session.closed)?.code, 'tunnel_closed')
    })

    test('bytes held for slow readers stay within the windows while much passes', TEST, async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair(pair)
      const { client, server } = sessions
      const [opened, accepted] = await streamPair(client, server)
      let most = 0
      let received = 0
      accepted.on('data', (chunk: Buffer) => {
        received += chunk.length
        most = Math.max(most, accepted.bufferedBytes)
        if (received % 7 === 0) {
          accepted.pause()
          setImmediate(() => accepted.resume())
        }
      })
      const chunk = randomBytes(64 * 1024)
      for (let count = 0; count < 800; count += 1) if (!opened.write(chunk)) await once(opened, 'drain')
      opened.end()
      await once(accepted, 'end')
      assert.equal(received, 800 * chunk.length)
      assert.ok(most <= 4 * 1024 * 1024, `${most} bytes held`)
      accepted.end()
      await finished(opened.resume())
    })
  })
}
