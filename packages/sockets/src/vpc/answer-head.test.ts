import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AnswerHead } from './answer-head.ts'

/** Feeds `text`, cut after so many bytes each time, and collects what came behind the answer. */
function feed(answer: AnswerHead, data: Buffer, cuts: readonly number[]): Buffer | undefined {
  let at = 0
  for (const cut of [...cuts, data.length]) {
    if (at >= data.length || answer.failure !== undefined) break
    const rest = answer.read(data.subarray(at, at + cut))
    at += cut
    if (rest !== undefined) return Buffer.concat([rest, data.subarray(at)])
  }
  return undefined
}

const CUTS = fc.array(fc.integer({ min: 1, max: 40 }))

test('behind a 2xx all bytes are the connection’s, however they were cut', () => {
  fc.assert(
    fc.property(fc.uint8Array(), CUTS, (behind, cuts) => {
      const answer = new AnswerHead()
      const data = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), behind])
      assert.deepEqual(feed(answer, data, cuts), Buffer.from(behind))
      assert.equal(answer.failure, undefined)
    }),
  )
})

test('any other answer is a failure, with the reason the edge gives', () => {
  fc.assert(
    fc.property(CUTS, (cuts) => {
      const reason = JSON.stringify({ code: 'dns_error', message: 'nö', flow: 'f1' })
      const head = `HTTP/1.1 502 Bad Gateway\r\nContent-Length: ${Buffer.byteLength(reason)}\r\n\r\n`
      const answer = new AnswerHead()
      assert.equal(feed(answer, Buffer.from(head + reason), cuts), undefined)
      assert.equal(answer.failure?.code, 'dns_error')
      assert.equal(answer.failure?.message, 'nö')
      assert.equal(answer.failure?.flow, 'f1')
    }),
  )
})

for (const [what, text, code] of [
  ['a reason that is none', 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\n{}', 'destination_unavailable'],
  ['no reason', 'HTTP/1.1 502 Bad Gateway\r\n\r\n', 'destination_unavailable'],
  ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n', 'edge_unreachable'],
  ['a reason without end', `HTTP/1.1 502 Bad\r\nContent-Length: 999999\r\n\r\n`, 'edge_unreachable'],
  ['a head without end', 'x'.repeat(70_000), 'edge_unreachable'],
] as const) {
  test(`${what} is a failure too`, () => {
    const answer = new AnswerHead()
    assert.equal(answer.read(Buffer.from(text)), undefined)
    assert.equal(answer.failure?.code, code)
  })
}

test('an answer that is not complete is no failure yet', () => {
  const answer = new AnswerHead()
  assert.equal(answer.read(Buffer.from('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 50\r\n\r\n{"co')), undefined)
  assert.equal(answer.failure, undefined)
})
