import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { duplexPair } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { MAX_SETTINGS_BYTES, Secret } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { configureRequest, parseConfigure, parseReport, reportRequest } from './announcements.ts'
import { encodeDialed, encodeDialRequest, parseDialRequest } from './dial-messages.ts'
import { Flag, FrameType, INITIAL_WINDOW_BYTES } from './frame.ts'
import { MAX_MESSAGE_BYTES, MessageDecoder, parseMessage } from './messages.ts'
import { proofOf } from './proof.ts'
import { frameBytes } from './raw-peer.ts'
import type { SeenFrame } from './raw-peer.ts'
import { MAX_WINDOW_BYTES, SESSION_GROWTH_BYTES } from './receive-window.ts'
import { encodeAccepted, encodeRegistration, parseRegistration } from './register.ts'
import { DialServer } from './serve-dials.ts'
import { sessionWithRawPeer } from './session-pair.ts'

const document = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')

/** The bytes of a block: hexadecimal up to `#`, or text on lines that begin like JSON. */
function bytesOf(block: string): Buffer {
  const parts = block.split('\n').map((line) => {
    if (/^[{"]/.test(line)) return Buffer.from(line)
    return Buffer.from(line.replace(/#.*/, '').replaceAll(' ', ''), 'hex')
  })
  return Buffer.concat(parts)
}

const blocks = [...document.matchAll(/^```frames (connector|edge)\n([\s\S]*?)^```$/gm)].map(([, from, block = '']) => ({
  from,
  bytes: bytesOf(block),
}))
const said = (from: 'connector' | 'edge'): Buffer =>
  Buffer.concat(blocks.filter((block) => block.from === from).map(({ bytes }) => bytes))

const { Data, WindowUpdate } = FrameType
const { Syn, Ack, Fin } = Flag
const tunnelId = '8f2f1a3e-52a2-4b53-9c53-0e5d0c1b2a39'
const connector = {
  id: 'c0ffee00-0000-4000-8000-000000000001',
  version: '0.1.0',
  hostname: 'box',
  platform: 'linux-x64',
}
const secret = new Secret(Buffer.alloc(32, 0x2a).toString('base64'))
const binding = Buffer.from(Array.from({ length: 32 }, (_, index) => index))
const proof = proofOf(secret, binding, tunnelId, connector.id)
const target = { host: '10.0.0.7', port: 6379, flowId: 'f1', timeoutMs: 10_000 }

describe('docs/protocol.md', () => {
  test('shows the very bytes of a connector', () => {
    const expected = [
      frameBytes(Data, Syn, 1, encodeRegistration({ tunnelId, connector, weight: 100, proof })),
      frameBytes(WindowUpdate, Ack, 2),
      frameBytes(Data, 0, 2, encodeDialed('10.0.0.7:6379')),
      frameBytes(Data, 0, 2, Buffer.from('+PONG\r\n')),
      frameBytes(WindowUpdate, Fin, 2),
    ]
    assert.equal(said('connector').toString('latin1'), Buffer.concat(expected).toString('latin1'))
  })

  test('shows the very bytes of an edge', () => {
    const expected = [
      frameBytes(WindowUpdate, Ack, 1),
      frameBytes(Data, 0, 1, encodeAccepted('edge-1')),
      frameBytes(Data, Syn, 2, encodeDialRequest(target)),
      frameBytes(Data, 0, 2, Buffer.from('PING\r\n')),
      frameBytes(WindowUpdate, Fin, 2),
    ]
    assert.equal(said('edge').toString('latin1'), Buffer.concat(expected).toString('latin1'))
  })

  test('its messages say what they should', () => {
    const decoder = new MessageDecoder()
    decoder.push(said('connector').subarray(12))
    assert.deepEqual(parseRegistration(parseMessage(decoder.message ?? Buffer.alloc(0))), {
      tunnelId,
      connector,
      weight: 100,
      proof,
    })
    decoder.push(said('edge').subarray(12 + 12 + 29 + 12))
    assert.deepEqual(parseDialRequest(decoder.message ?? Buffer.alloc(0)), target)
  })

  test('the bytes of the edge make a connector send the bytes of the connector', { timeout: 10_000 }, async (t) => {
    assertNoLeaks(t)
    const [near, far] = duplexPair()
    const server = new DialServer(() => Promise.resolve({ stream: near, remoteAddress: '10.0.0.7:6379' }))
    await using tested = sessionWithRawPeer('client', { onStream: (stream) => server.accept(stream) })
    const control = tested.open(encodeRegistration({ tunnelId, connector, weight: 100, proof }))
    tested.peer.sendBytes(said('edge'))
    far.write('+PONG\r\n')
    assert.equal(await text(far), 'PING\r\n')
    far.end()
    const ofStream = (id: number) => (frame: SeenFrame) => frame.streamId === id
    await tested.peer.frame((frame) => ofStream(2)(frame) && (frame.flags & Fin) !== 0)
    const sent = [1, 2].flatMap((id) => tested.peer.frames.filter(ofStream(id)))
    const bytes = sent.map(({ type, flags, streamId, payload }) => frameBytes(type, flags, streamId, payload))
    assert.equal(Buffer.concat(bytes).toString('latin1'), said('connector').toString('latin1'))
    assert.equal(String(control.read()).slice(2), '{"ok":true,"edge":"edge-1"}')
  })

  test('shows announcements that are read as they are written', () => {
    const shown = [...document.matchAll(/^```json\n(\{"op"[\s\S]*?)^```$/gm)].map(([, json = '']) => JSON.parse(json))
    assert.deepEqual(
      shown.map(({ op }) => op),
      ['configure', 'report'],
    )
    assert.deepEqual(configureRequest(parseConfigure(shown[0])), shown[0])
    assert.deepEqual(reportRequest(parseReport(shown[1])), shown[1])
  })

  test('names the limits that the code has', () => {
    for (const number of [INITIAL_WINDOW_BYTES, MAX_MESSAGE_BYTES, MAX_SETTINGS_BYTES]) {
      assert.ok(document.includes(number.toLocaleString('en')), String(number))
    }
    assert.ok(document.includes(`up to ${MAX_WINDOW_BYTES / 1024 / 1024} MiB`))
    assert.ok(document.includes(`at most ${SESSION_GROWTH_BYTES / 1024 / 1024} MiB`))
  })
})
