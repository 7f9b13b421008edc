import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import { createLogger, errorFields, formatText } from './log.ts'
import type { LogFormat, LogLevel } from './log.ts'

function capture(
  format: LogFormat,
  level: LogLevel = 'debug',
): { lines: string[]; log: ReturnType<typeof createLogger> } {
  const lines: string[] = []
  return { lines, log: createLogger({ format, level, colour: false, sink: { write: (line) => lines.push(line) } }) }
}

test('a JSON line has time, level, message and the fields', () => {
  const { lines, log } = capture('json')
  log.info('connected', { edge: 'e:1', count: 2 })
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  delete line['time']
  assert.deepEqual(line, { level: 'info', message: 'connected', edge: 'e:1', count: 2 })
})

test('a text line is for people', () => {
  const { lines, log } = capture('text')
  log.warn('no connection', {
    edge: 'e:1',
    note: 'two words',
    list: [1],
    at: { host: '::1', port: 7 },
    none: undefined,
  })
  assert.match(
    lines[0] ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} warn {2}no connection edge=e:1 note="two words" list=\[1\] at=\[::1\]:7\n$/,
  )
})

test('lines below the level are not written', () => {
  const { lines, log } = capture('json', 'warn')
  log.debug('d')
  log.info('i')
  log.warn('w')
  log.error('e')
  assert.equal(lines.length, 2)
})

test('a child carries its fields, and its child both', () => {
  const { lines, log } = capture('json')
  log.child({ a: 1 }).child({ b: 2 }).error('x', { c: 3 })
  assert.partialDeepStrictEqual(JSON.parse(lines[0] ?? ''), { a: 1, b: 2, c: 3, level: 'error' })
})

test('no key is in a line twice: what a line says itself wins over its logger', () => {
  const { lines, log } = capture('json')
  log.child({ edge: 'a', tunnel: 't' }).child({ edge: 'b' }).info('x', { tunnel: 'u' })
  const keys = (lines[0] ?? '').match(/"\w+":/g) ?? []
  assert.deepEqual(keys, [...new Set(keys)])
  assert.partialDeepStrictEqual(JSON.parse(lines[0] ?? ''), { edge: 'b', tunnel: 'u' })
  // @ts-expect-error -- a field of a name that the line has by itself does not compile
  log.info('x', { message: 'y' })
})

test('a secret is masked, however deep', () => {
  for (const format of ['json', 'text'] as const) {
    const { lines, log } = capture(format)
    const secret = new Secret('hunter2')
    log
      .child({ secret })
      .info('x', { secret, deep: { list: [secret] }, error: new HawserError('conflict', String(secret)) })
    assert.equal(lines.length, 1)
    assert.doesNotMatch(lines[0] ?? '', /hunter2/)
    assert.match(lines[0] ?? '', /\[secret\]/)
  }
})

test('an error is its code, sentence and causes; only a fault of ours brings its stack', () => {
  const system = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })
  const told = errorFields(new HawserError('connection_refused', 'no', { cause: system }))
  assert.deepEqual(JSON.parse(JSON.stringify(told)), {
    code: 'connection_refused',
    message: 'no',
    cause: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' },
  })
  assert.match(errorFields(new TypeError('boom')).stack ?? '', /^TypeError: boom\n/)
})

test('a chain of causes that leads back to itself ends', () => {
  const error: Error & { cause?: unknown } = new Error('loop')
  error.cause = error
  assert.ok(JSON.stringify(errorFields(error)).length < 20_000)
})

test('an error in a text line follows the message', () => {
  const { lines, log } = capture('text')
  log.error('failed', {
    code: 'x',
    error: new HawserError('dns_error', 'no such name', { cause: new HawserError('conflict', 'c') }),
  })
  assert.match(lines[0] ?? '', / error failed: no such name \(dns_error\): c \(conflict\) code=x\n$/)
})

test('colour marks the level and nothing else', () => {
  const json = JSON.stringify({ level: 'error', time: '2026-01-02T03:04:05.678Z', message: 'm', a: 1 })
  assert.equal(formatText(json, true), '03:04:05.678 \u001b[31merror\u001b[39m m a=1\n')
})

test('a line break in a value stays inside its quotes', () => {
  const { lines, log } = capture('text')
  log.info('x', { name: 'a\nlevel=error' })
  assert.match(lines[0] ?? '', / x name="a\\nlevel=error"\n$/)
})

test('a level that is set later holds for all relatives, and can be taken back', () => {
  const { lines, log } = capture('json', 'warn')
  const child = log.child({ a: 1 })
  child.setLevel?.('debug')
  log.debug('now')
  child.debug('now')
  log.setLevel?.('error')
  child.warn('not now')
  child.error('always')
  child.setLevel?.(undefined)
  log.info('not now')
  log.warn('again')
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { message: string }).message),
    ['now', 'now', 'always', 'again'],
  )
})
