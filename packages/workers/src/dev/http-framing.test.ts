import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HttpFraming, namedBody } from './http-framing.ts'

/** The first lines of the messages in `text`, cut after so many bytes each time, each with a mark once it has ended. */
function follow(text: string, cuts: readonly number[] = []): string[] {
  const seen: string[] = []
  const framing = new HttpFraming(
    (head) => {
      seen.push(head.split('\r\n')[0] ?? '')
      return head.startsWith('UPGRADE') ? 'opaque' : namedBody(head, 0)
    },
    () => seen.push('end'),
  )
  const data = Buffer.from(text, 'latin1')
  let at = 0
  for (const cut of [...cuts, data.length]) {
    if (at < data.length) framing.read(data.subarray(at, at + cut))
    at += cut
  }
  return seen
}

const MESSAGES = [
  'GET /a HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /b HTTP/1.1\r\nContent-Length: 30\r\n\r\nGET /body HTTP/1.1\r\n\r\n\r\n\r\n--\r\n',
  'POST /c HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;x=y\r\nGET /\r\n0A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\nTrailer: 1\r\n\r\n',
  'POST /d HTTP/1.1\r\ncontent-length:0\r\n\r\n',
  '\r\n\r\nPUT /e HTTP/1.1\nHost: bare line feeds\n\n',
]

test('heads and ends are found wherever the bytes are cut', () => {
  const names = ['GET /a', 'POST /b', 'POST /c', 'POST /d', 'PUT /e HTTP/1.1\nHost: bare line feeds\n\n']
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 40 }), (cuts) => {
      const seen = follow(MESSAGES.join(''), cuts)
      assert.deepEqual(
        seen.map((line) => line.replace(' HTTP/1.1', '')),
        names.flatMap((name) => [name.replace(' HTTP/1.1', ''), 'end']),
      )
    }),
  )
})

test('one byte at a time is enough', () => {
  const text = MESSAGES.join('')
  assert.equal(
    follow(
      text,
      Array.from(text, () => 1),
    ).length,
    10,
  )
})

for (const [what, text, count] of [
  ['another protocol behind an upgrade', 'UPGRADE /\r\n\r\nGET / HTTP/1.1\r\n\r\n', 1],
  [
    'a chunk without a size',
    'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\nGET / HTTP/1.1\r\n\r\n',
    1,
  ],
  ['a head without an end', `GET /${'x'.repeat(200_000)}\r\n\r\nGET / HTTP/1.1\r\n\r\n`, 0],
  ['a size without an end', `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${'1'.repeat(200_000)}`, 1],
] as const) {
  test(`${what} is left alone`, () => {
    assert.equal(follow(text, [100, 100_000]).length, count)
  })
}

test('whatever the bytes are, following them ends', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), (chunks) => {
      const framing = new HttpFraming(
        (head) => namedBody(head, 0),
        () => {},
      )
      for (const chunk of chunks) framing.read(Buffer.from(chunk))
    }),
  )
})

test('a length counts only where nothing says chunked', () => {
  assert.equal(namedBody('X\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n', 0), 'chunked')
  assert.equal(namedBody('X\r\nContent-Length: 5\r\n\r\n', 0), 5)
  assert.equal(namedBody('X\r\nX-Content-Length: 5\r\n\r\n', 'until-close'), 'until-close')
})
