import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import type { HawserError } from '@hawser/core'
import { memoryPair } from '@hawser/testkit'
import fc from 'fast-check'
import type { ResponseHead } from './head.ts'
import { IDLE_LIMIT_MS, Upstream } from './upstream.ts'
import type { ResponseSink } from './upstream.ts'

/** Writes down what it is told, as one line each. */
class Diary implements ResponseSink {
  readonly method: string
  readonly lines: string[] = []
  body = ''
  error: HawserError | undefined
  /** Resolves when the answer is complete, or never will be. */
  readonly over: Promise<void>
  #done: () => void = () => {}

  constructor(method = 'GET') {
    this.method = method
    this.over = new Promise((resolve) => (this.#done = resolve))
  }

  onInterim(head: ResponseHead): void {
    this.lines.push(`interim ${head.status}`)
  }

  onResponse(head: ResponseHead, framing: string): void {
    this.lines.push(`head ${head.status} ${framing}`)
  }

  onResponsePayload(payload: Buffer): void {
    this.body += payload.toString('latin1')
  }

  onResponseEnd(): void {
    this.lines.push('end')
    this.#done()
  }

  onBatchEnd(): void {}

  onUpgrade(head: ResponseHead, stream: Duplex, early: Buffer | undefined): void {
    this.lines.push(`upgrade ${head.status} ${early?.toString() ?? ''}`)
    stream.destroy()
    this.#done()
  }

  onUpstreamFailure(error: HawserError): void {
    this.error = error
    this.lines.push(error.code)
    this.#done()
  }

  onUpstreamDrain(): void {}
}

function pair(): { readonly upstream: Upstream; readonly far: Duplex } {
  const [near, far] = memoryPair()
  far.on('error', () => {}).resume()
  return { upstream: new Upstream(near, { origin: 'http://a:80', route: { via: 'direct' }, tls: undefined }), far }
}

/** Sends `bytes` cut at `cuts` in answer to one request. */
async function answered(
  bytes: Buffer,
  cuts: readonly number[],
  method?: string,
): Promise<{ diary: Diary; upstream: Upstream }> {
  const { upstream, far } = pair()
  const diary = new Diary(method)
  upstream.begin(diary)
  const points = [0, ...new Set(cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b)), bytes.length]
  for (let at = 1; at < points.length; at += 1) {
    far.write(bytes.subarray(points[at - 1], points[at]))
    await new Promise(setImmediate) // so that each piece is a read of its own
  }
  await diary.over
  return { diary, upstream }
}

const answers: readonly [name: string, answer: string, lines: string[], body: string][] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', ['head 200 length', 'end'], 'hello'],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n',
    ['head 200 chunked', 'end'],
    'hello',
  ],
  ['nothing', 'HTTP/1.1 204 No Content\r\n\r\n', ['head 204 none', 'end'], ''],
  [
    'interim answers',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    ['interim 100', 'interim 103', 'head 200 length', 'end'],
    'ok',
  ],
]
for (const [name, answer, lines, body] of answers) {
  test(`upstream: an answer with ${name} is the same wherever it is cut`, { timeout: 30_000 }, async () => {
    const bytes = Buffer.from(answer)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 6 }), async (cuts) => {
        const { diary, upstream } = await answered(bytes, cuts)
        assert.deepEqual([diary.lines, diary.body], [lines, body])
        assert.equal(upstream.reusable, true)
        upstream.stream.destroy()
      }),
      { numRuns: 40 },
    )
    const everyByte = await answered(bytes, Array.from(bytes.keys()))
    assert.deepEqual([everyByte.diary.lines, everyByte.diary.body], [lines, body])
    everyByte.upstream.stream.destroy()
  })
}

test('upstream: whether a connection may carry another request', async (t) => {
  const cases: readonly [fields: string, reusable: boolean][] = [
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n', true],
    ['HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n', true],
    ['HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\n', false],
    ['HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n', true],
  ]
  for (const [fields, reusable] of cases) {
    await t.test(fields.replaceAll('\r\n', ' | '), async () => {
      const { upstream } = await answered(Buffer.from(`${fields}\r\n`), [])
      assert.equal(upstream.reusable, reusable)
      upstream.stream.destroy()
    })
  }
})

test('upstream: bytes behind an answer make the connection useless', async () => {
  const { upstream, diary } = await answered(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore'), [])
  assert.deepEqual([diary.body, upstream.reusable], ['ok', false])
  upstream.stream.destroy()
})

test('upstream: how long it may lie idle is what the server says, a second less, and never more than ours', async () => {
  const limit = async (field: string): Promise<number> => {
    const { upstream } = await answered(Buffer.from(`HTTP/1.1 200 OK\r\n${field}Content-Length: 0\r\n\r\n`), [])
    upstream.stream.destroy()
    return upstream.idleLimitMs
  }
  assert.equal(await limit(''), IDLE_LIMIT_MS)
  assert.equal(await limit('Keep-Alive: timeout=5\r\n'), 4_000)
  assert.equal(await limit('Keep-Alive: timeout=600\r\n'), IDLE_LIMIT_MS)
})

test('upstream: a switch of protocols hands the stream over with what followed', async () => {
  const { diary, upstream } = await answered(Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\nfirst'), [])
  assert.deepEqual(diary.lines, ['upgrade 101 first'])
  assert.equal(upstream.reusable, false)
})

test('upstream: where the connection ends decides what that means', async (t) => {
  const cases: readonly [sent: string, lines: string[]][] = [
    ['', ['connection_terminated']],
    ['HTTP/1.1 2', ['http_response_incomplete']],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel', ['head 200 length', 'http_response_incomplete']],
    ['HTTP/1.1 200 OK\r\n\r\nall of it', ['head 200 close', 'end']],
  ]
  for (const [sent, lines] of cases) {
    await t.test(JSON.stringify(sent), async () => {
      const { upstream, far } = pair()
      const diary = new Diary()
      upstream.begin(diary)
      far.end(sent)
      await diary.over
      assert.deepEqual(diary.lines.slice(0, lines.length), lines)
      upstream.stream.destroy()
    })
  }
})

test('upstream: a connection that died unnoticed tells so when it is used', async () => {
  const { upstream } = pair()
  upstream.stream.destroy(new Error('reset'))
  await new Promise((resolve) => upstream.stream.once('close', resolve))
  const diary = new Diary()
  upstream.begin(diary)
  await diary.over
  assert.deepEqual([diary.lines, upstream.unanswered], [['connection_terminated'], true])
})

test('upstream: after it is let go nothing more is told', async () => {
  const { upstream, diary } = await answered(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), [])
  upstream.release()
  upstream.stream.destroy(new Error('later'))
  await new Promise((resolve) => upstream.stream.once('close', resolve))
  assert.deepEqual(diary.lines, ['head 200 none', 'end'])
})
