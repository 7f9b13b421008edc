import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { BodyReader, requestFraming, responseFraming } from './body-reader.ts'
import { parseRequestHead, parseResponseHead } from './head.ts'

/** Feeds `bytes` in pieces cut at `cuts`; gives the payload and how much was consumed. */
function feed(reader: BodyReader, bytes: Buffer, cuts: readonly number[]): { payload: string; consumed: number } {
  const points = [0, ...new Set(cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)), bytes.length]
  const parts: Buffer[] = []
  let consumed = 0
  for (let at = 1; at < points.length && !reader.done; at += 1) {
    const chunk = bytes.subarray(points[at - 1], points[at])
    consumed += reader.read(chunk, 0, (part) => parts.push(part))
  }
  return { payload: Buffer.concat(parts).toString('latin1'), consumed }
}

const cuts = fc.array(fc.nat(), { maxLength: 8 })

test('body reader: a length body ends at its length, however it is cut', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 50 }).map((text) => Buffer.from(text)),
      cuts,
      (body, where) => {
        const reader = new BodyReader('length', body.length)
        const got = feed(reader, Buffer.concat([body, Buffer.from('next')]), where)
        assert.deepEqual(got, { payload: body.toString('latin1'), consumed: body.length })
        assert.equal(reader.done, true)
      },
    ),
  )
})

test('body reader: a chunked body comes out whole, however chunked and however cut', () => {
  const chunk = fc.tuple(fc.stringMatching(/^[ -~]{1,40}$/), fc.constantFrom('', ';a', ';a=b;c="d"', ' '), fc.boolean())
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 6 }),
      fc.array(fc.stringMatching(/^X-[a-z]{1,8}: [a-z]{0,8}$/), { maxLength: 3 }),
      cuts,
      (chunks, trailers, where) => {
        const coded = chunks.map(([text, extension, upper]) => {
          const size = text.length.toString(16)
          return `${upper ? `0${size.toUpperCase()}` : size}${extension}\r\n${text}\r\n`
        })
        const body = `${coded.join('')}0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`
        const reader = new BodyReader('chunked', 0)
        const got = feed(reader, Buffer.from(`${body}next`), where)
        assert.deepEqual(got, { payload: chunks.map(([text]) => text).join(''), consumed: body.length })
        assert.equal(reader.done, true)
      },
    ),
  )
})

test('body reader: a close body takes all there is and is never done by itself', () => {
  const reader = new BodyReader('close', 0)
  assert.deepEqual(feed(reader, Buffer.from('abc'), [1]), { payload: 'abc', consumed: 3 })
  assert.equal(reader.done, false)
})

test('body reader: an absent body is done at once and takes nothing', () => {
  const reader = new BodyReader('none', 0)
  assert.equal(reader.done, true)
  assert.equal(
    reader.read(Buffer.from('next'), 0, () => assert.fail()),
    0,
  )
})

test('body reader: payload is handed on as it is, not copied', () => {
  const chunk = Buffer.from('abcdef')
  const parts: Buffer[] = []
  new BodyReader('length', 6).read(chunk, 0, (part) => parts.push(part))
  assert.equal(parts[0], chunk)
  const coded = Buffer.from('3\r\nabc\r\n')
  new BodyReader('chunked', 0).read(coded, 0, (part) => parts.push(part))
  assert.equal(parts[1]?.buffer, coded.buffer)
})

test('body reader: broken chunked coding is refused', async (t) => {
  const cases: Record<string, string> = {
    'no size': '\r\nabc',
    'a size that is no number': 'xyz\r\n',
    'a negative size': '-1\r\n',
    'a size without end': '0'.repeat(14),
    'a size beyond exact numbers': 'ffffffffffffff\r\n',
    'LF alone after the size': '3\nabc\r\n',
    'CR without LF after the size': '3\rabc',
    'data longer than its size': '3\r\nabcd\r\n',
    'LF alone after the data': '3\r\nabc\n',
    'a control character in an extension': '3;\x01\r\nabc\r\n',
    'an extension without end': `3;${'a'.repeat(5_000)}`,
    'a control character in a trailer': '0\r\nA: \0\r\n\r\n',
    'LF alone in the trailers': '0\r\nA: 1\n\r\n',
    'a trailer without end': `0\r\n${'a'.repeat(5_000)}`,
    'trailers without end': `0\r\n${'A: 1\r\n'.repeat(9_000)}`,
  }
  for (const [name, text] of Object.entries(cases)) {
    await t.test(name, () => {
      const reader = new BodyReader('chunked', 0)
      assert.throws(
        () => feed(reader, Buffer.from(text, 'latin1'), []),
        (error) => HawserError.is(error, 'http_protocol_error'),
      )
    })
  }
})

test('framing of a request: chunked, a length, or no body', () => {
  const framing = (...lines: string[]): string =>
    requestFraming(parseRequestHead(`POST / HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`))
  assert.equal(framing('Transfer-Encoding: Chunked'), 'chunked')
  assert.equal(framing('Content-Length: 1'), 'length')
  assert.equal(framing('Content-Length: 0'), 'none')
  assert.equal(framing(), 'none')
})

test('framing of a response: RFC 9112 section 6.3', () => {
  const framing = (method: string, status: number, ...lines: string[]): string =>
    responseFraming(
      method,
      parseResponseHead(`HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`),
    )
  assert.equal(framing('HEAD', 200, 'Content-Length: 5'), 'none')
  assert.equal(framing('GET', 204, 'Content-Length: 5'), 'none')
  assert.equal(framing('GET', 304, 'Transfer-Encoding: chunked'), 'none')
  assert.equal(framing('GET', 100), 'none')
  assert.equal(framing('GET', 200, 'Transfer-Encoding: chunked', 'Content-Length: 5'), 'chunked')
  assert.equal(framing('GET', 200, 'Content-Length: 5'), 'length')
  assert.equal(framing('GET', 200, 'Content-Length: 0'), 'none')
  assert.equal(framing('GET', 200), 'close')
})
