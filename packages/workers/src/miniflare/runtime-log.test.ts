import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { CapturedLog } from '@hawser/testkit'
import { LogLevel } from 'miniflare'
import { MiniflareLog, RuntimeLog } from './runtime-log.ts'

function mapStack(stack: string): string {
  return stack.replaceAll('bundle.js:9:9', 'source.ts:1:1')
}

/** What is logged for these lines of workerd, in pieces cut at every `size` bytes. */
async function logged(lines: readonly string[], size = Number.POSITIVE_INFINITY) {
  const log = new CapturedLog()
  const runtime = new RuntimeLog(log, mapStack)
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const reading = runtime.read(stdout, stderr)
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  for (let at = 0; at < bytes.length; at += Math.min(size, bytes.length)) stdout.write(bytes.subarray(at, at + size))
  stdout.end()
  stderr.end()
  await reading
  return { lines: log.lines, complaints: runtime.complaints }
}

function said(level: string, message: string): string {
  return JSON.stringify({ timestamp: 1, level, message })
}

function internal(level: string, message: string): string {
  return JSON.stringify({ timestamp: '1', level, source: 'workerd/io/worker.c++:1', message })
}

test('console lines keep their level and their text, however the stream is cut', async () => {
  const input = ['log', 'info', 'warn', 'error', 'debug'].map((level) => said(level, `${level}: “text”\nof two lines`))
  for (const size of [1, 7, Number.POSITIVE_INFINITY]) {
    const { lines, complaints } = await logged(input, size)
    assert.deepEqual(
      lines.map(({ level, message }) => [level, message.split(':')[0]]),
      [
        ['info', 'log'],
        ['info', 'info'],
        ['warn', 'warn'],
        ['error', 'error'],
        ['debug', 'debug'],
      ],
    )
    assert.equal(complaints, '')
  }
})

test('an uncaught exception is an error of the Worker, with mapped positions', async () => {
  const message = 'uncaught exception; source = Uncaught (in promise); stack = Error: no\n    at f (bundle.js:9:9)'
  const { lines } = await logged([internal('info', message)])
  assert.deepEqual(lines, [
    { level: 'error', message: 'Uncaught (in promise): Error: no\n    at f (source.ts:1:1)', fields: {} },
  ])
})

test('an exception that comes again from a caller, without frames, is told once', async () => {
  const uncaught = (stack: string): string =>
    internal('info', `uncaught exception; source = Uncaught (in promise); stack = ${stack}`)
  const frames = 'Error: no\n    at f (bundle.js:9:9)'
  const { lines } = await logged([frames, 'Error: no', 'Error: no', 'Error: other', frames].map(uncaught))
  assert.deepEqual(
    lines.map(({ message }) => message.slice('Uncaught (in promise): '.length)),
    ['Error: no\n    at f (source.ts:1:1)', 'Error: no', 'Error: other', 'Error: no\n    at f (source.ts:1:1)'],
  )
})

test('an error on the console has mapped positions, other text stays as it is', async () => {
  const { lines } = await logged([
    said('error', 'Error: no\n    at f (bundle.js:9:9)'),
    said('info', 'see bundle.js:9:9'),
  ])
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['Error: no\n    at f (source.ts:1:1)', 'see bundle.js:9:9'],
  )
})

test('a Worker that prints the same words is not taken for workerd', async () => {
  const message = 'uncaught exception; source = me; stack = none'
  const { lines } = await logged([said('info', message)])
  assert.deepEqual(
    lines.map((line) => [line.level, line.message]),
    [['info', message]],
  )
})

test('workerd’s own words are for debugging, without native addresses; complaints are kept', async () => {
  const { lines, complaints } = await logged([
    internal('info', 'uncaught exception; exception = kj::Exception\nstack: /bin/workerd@3f68b70 /bin/workerd@3f69955'),
    internal('error', 'service core:user:a: Uncaught TypeError\n  at bundle.js:9:9'),
    'plain words',
    '{ not json',
  ])
  assert.deepEqual(
    new Set(lines.map(({ level, fields }) => `${level} ${String(fields['source'])}`)),
    new Set(['debug workerd']),
  )
  assert.equal(lines[0]?.message, 'uncaught exception; exception = kj::Exception')
  assert.equal(complaints, 'service core:user:a: Uncaught TypeError\n  at source.ts:1:1\nplain words\n{ not json')
})

test('of many complaints only the last are kept', async () => {
  const { complaints } = await logged(Array.from({ length: 100 }, (_, n) => internal('error', `complaint ${n}`)))
  const kept = complaints.split('\n')
  assert.equal(kept.length, 20)
  assert.equal(kept.at(-1), 'complaint 99')
})

test('Miniflare’s own messages are warnings, errors, or for debugging', () => {
  const log = new CapturedLog()
  const miniflare = new MiniflareLog(log)
  miniflare.logWithLevel(LogLevel.ERROR, 'bad')
  miniflare.warn('careful')
  miniflare.info('listening')
  miniflare.debug('detail')
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields['source']]),
    [
      ['error', 'miniflare'],
      ['warn', 'miniflare'],
      ['debug', 'miniflare'],
      ['debug', 'miniflare'],
    ],
  )
  assert.ok(!HawserError.is(log.lines[0]))
})
