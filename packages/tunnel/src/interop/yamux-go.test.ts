/** Our sessions with those of hashicorp/yamux, the reference implementation in Go, in both roles and both directions. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { INITIAL_WINDOW_BYTES } from '../frame.ts'
import type { TestStream } from '../session-pair.ts'
import { buildGoProgram, GoPeer } from './go-peer.ts'

const LIMIT = { timeout: 120_000 }
const MUCH = 100_000_000
const CHUNK = randomBytes(1_000_000)

const program = await buildGoProgram()
after(() => program[Symbol.asyncDispose]())

/** A stream that the program treats as `verb` says. */
function open(peer: GoPeer, verb: string): TestStream {
  const stream = peer.ours.open()
  stream.write(`${verb}\n`)
  return stream
}

/** Until so much has arrived and is not read. */
async function buffered(stream: TestStream, bytes: number): Promise<void> {
  while (stream.bufferedBytes < bytes) await new Promise(setImmediate)
}

/** Sends {@link MUCH} and its end, and checks what comes back against it. */
async function echo(stream: TestStream): Promise<void> {
  const [sent, received] = [createHash('sha256'), createHash('sha256')]
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    received.update(chunk)
    bytes += chunk.length
  })
  const ended = once(stream, 'end')
  for (let left = MUCH; left > 0; left -= CHUNK.length) {
    sent.update(CHUNK)
    if (!stream.write(CHUNK)) await once(stream, 'drain')
  }
  stream.end()
  await ended
  assert.equal(bytes, MUCH)
  assert.equal(received.digest('hex'), sent.digest('hex'))
}

for (const role of ['client', 'server'] as const) {
  const sentence = `as ${role} of a session with hashicorp/yamux`
  const withPeer = (title: string, body: (peer: GoPeer) => Promise<void>, closeTimeout?: string): void => {
    test(`${sentence}, ${title}`, LIMIT, async (t: TestContext) => {
      assertNoLeaks(t)
      if (program.absence !== undefined) return t.skip(program.absence)
      await using peer = await GoPeer.start(program, { role, closeTimeout, signal: t.signal })
      await body(peer)
    })
  }

  withPeer('100 MB that we send come back as they were', async (peer) => {
    await echo(open(peer, 'echo'))
    assert.equal(peer.ours.session.streamCount, 0)
  })

  withPeer('100 MB that it sends go back as they were', async (peer) => {
    const answer = peer.ask('echo', `${MUCH}`)
    const stream = await peer.ours.accept()
    stream.pipe(stream)
    assert.equal(await answer, 'same')
  })

  withPeer('many streams at once keep apart', async (peer) => {
    const answers = Array.from({ length: 50 }, (_, index) => peer.ask('echo', `${50_000 + index}`))
    const ours = Array.from({ length: 50 }, async (_, index) => {
      const stream = open(peer, 'echo')
      stream.end(`from stream ${index}`)
      return text(stream)
    })
    for (let count = 0; count < answers.length; count += 1) {
      const stream = await peer.ours.accept()
      stream.pipe(stream)
    }
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(['same']))
    for (const [index, received] of (await Promise.all(ours)).entries()) assert.equal(received, `from stream ${index}`)
  })

  withPeer('our end leaves its direction open', async (peer) => {
    const stream = open(peer, 'count')
    stream.end(Buffer.alloc(1_000))
    assert.equal(await text(stream), '1000') // written after it had read our end
  })

  withPeer('its end leaves our direction open', async (peer) => {
    const stream = open(peer, 'early')
    assert.equal(await text(stream), 'bye')
    assert.equal(peer.ours.session.streamCount, 1)
    stream.end('and on')
    assert.equal(await peer.report('early'), 'and on')
  })

  withPeer('the end of a stream that it opened leaves our direction open', async (peer) => {
    const answer = peer.ask('send', '10')
    const stream = await peer.ours.accept()
    assert.equal((await text(stream)).length, 10)
    stream.end('received')
    assert.equal(await answer, 'received')
  })

  withPeer('our reset is an error to its reader', async (peer) => {
    const stream = open(peer, 'watch')
    await peer.report('watching') // what it has not read by then, it never does
    stream.destroy()
    assert.match(await peer.report('watch'), /then connection reset/)
    assert.equal(peer.ours.session.streamCount, 0)
  })

  withPeer('our reset of a stream that it opened is an error to its reader', async (peer) => {
    const answer = peer.ask('watch')
    const stream = await peer.ours.accept()
    await once(stream, 'readable')
    stream.destroy()
    assert.match(await answer, /connection reset/)
  })

  withPeer(
    'its reset is an error to our reader, and the session goes on',
    async (peer) => {
      const cut = peer.ask('cut')
      const stream = await peer.ours.accept()
      const failed = once(stream, 'error') as Promise<[{ code: string }]>
      assert.equal(await cut, 'ok')
      const [{ code }] = await failed // our side never answers its end
      assert.equal(code, 'connection_terminated')
      assert.equal(await peer.ask('ping'), 'pong')
    },
    '50ms',
  )

  withPeer('we send no more than its window, and the rest once it reads', async (peer) => {
    const stream = open(peer, 'stall')
    stream.end(Buffer.alloc(1_000_000))
    while (stream.sendCredit > 0) await new Promise(setImmediate)
    assert.equal(await peer.ask('ping'), 'pong') // one full stream holds up nothing
    assert.equal(stream.sendCredit, 0)
    await peer.ask('resume')
    assert.equal(await text(stream), '1000000')
  })

  withPeer('it sends no more than our window, and the rest once we read', async (peer) => {
    const answer = peer.ask('send', '1000000')
    const stream = await peer.ours.accept()
    await buffered(stream, INITIAL_WINDOW_BYTES)
    assert.equal(await peer.ask('ping'), 'pong')
    assert.equal(stream.bufferedBytes, INITIAL_WINDOW_BYTES)
    assert.equal((await text(stream)).length, 1_000_000)
    stream.end('all')
    assert.equal(await answer, 'all')
  })

  withPeer('pings are answered both ways', async (peer) => {
    assert.ok((await peer.ours.session.ping()) >= 0)
    assert.equal(await peer.ask('ping'), 'pong')
  })

  withPeer('after its go-away we open nothing, and what is open goes on', async (peer) => {
    const stream = open(peer, 'echo')
    await peer.ours.session.ping() // answered in order: the stream is there
    assert.equal(await peer.ask('go-away'), 'ok')
    await peer.ours.session.ping()
    assert.throws(() => peer.ours.open(), { code: 'tunnel_closed' })
    stream.end('still there')
    assert.equal(await text(stream), 'still there')
    assert.equal(await peer.ask('close'), 'ok')
    assert.equal(await peer.ours.session.closed, undefined) // an agreed end is no error
  })

  withPeer('after our go-away it opens nothing, and what is open goes on', async (peer) => {
    const answer = peer.ask('send', '10')
    const stream = await peer.ours.accept()
    peer.ours.session.goAway()
    await peer.ours.session.ping()
    assert.match(await peer.ask('send', '1'), /not accepting/)
    stream.resume().end('done')
    assert.equal(await answer, 'done')
  })

  withPeer('our end of the session is one to it', async (peer) => {
    peer.ours.session.end()
    assert.match(await peer.report('accept'), /EOF|session shutdown/)
    assert.equal(await peer.ours.session.closed, undefined)
  })
}
