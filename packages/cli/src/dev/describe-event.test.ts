import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { describeEvent } from './describe-event.ts'
import type { DevEvent } from './events.ts'

const REQUEST = { event: 'request', method: 'GET', path: '/a', ms: 4 } as const
const FLOW: DevEvent = {
  event: 'flow',
  id: 'f1',
  binding: 'OFFICE',
  kind: 'connect',
  requested: '10.0.1.50:6379',
  remoteAddress: '127.0.0.1:6379',
  outcome: 'ok',
  bytesSent: 14,
  bytesReceived: 7,
  ms: 3,
}

const ROWS: readonly (readonly [string, DevEvent, string])[] = [
  ['ready', { event: 'ready', url: 'http://127.0.0.1:8787', ms: 900 }, 'Ready on http://127.0.0.1:8787'],
  [
    'ready for DevTools',
    { event: 'ready', url: 'http://127.0.0.1:1', ms: 1, inspector: 'ws://127.0.0.1:9229' },
    'Ready on http://127.0.0.1:1\nInspector on ws://127.0.0.1:9229',
  ],
  [
    'a reload, with the files as one would type them',
    { event: 'reload', url: '', ms: 210, changed: [resolve('src/a.ts'), resolve('b.ts')] },
    'Reloaded in 210 ms: src/a.ts, b.ts',
  ],
  [
    'an error while something is served',
    { event: 'error', code: 'bundle_failed', message: 'a.ts:1:1: no', serving: true },
    'a.ts:1:1: no\nStill serving the version before.',
  ],
  [
    'an error while nothing is served, with advice',
    { event: 'error', code: 'runtime_failed', message: 'no', serving: false, advice: 'do this' },
    'no\ndo this\nWaiting for a change.',
  ],
  ['a request', { ...REQUEST, status: 200, outcome: 'ok' }, 'GET /a 200 4 ms'],
  ['one that was given up', { ...REQUEST, outcome: 'aborted' }, 'GET /a aborted 4 ms'],
  ['half an answer', { ...REQUEST, status: 200, outcome: 'error' }, 'GET /a 200 error 4 ms'],
  ['a flow', FLOW, '  OFFICE.connect 10.0.1.50:6379 → 127.0.0.1:6379 ok 14 B out, 7 B in, 3 ms'],
  [
    'a flow with an HTTP answer',
    { ...FLOW, kind: 'fetch', requested: 'http://a', status: 404 },
    '  OFFICE.fetch http://a → 127.0.0.1:6379 404 14 B out, 7 B in, 3 ms',
  ],
  [
    'a flow that failed before it went anywhere',
    { ...FLOW, remoteAddress: undefined, outcome: 'error', code: 'dns_error' },
    '  OFFICE.connect 10.0.1.50:6379 dns_error 14 B out, 7 B in, 3 ms',
  ],
  ['advice, each line marked', { event: 'advice', rule: 'r', binding: 'B', message: 'a\nb' }, '  ! a\n  ! b'],
  ['what the Worker says', { event: 'log', level: 'info', source: 'worker', message: 'hi' }, 'hi'],
  ['what others say', { event: 'log', level: 'warn', source: 'hawser', message: 'hi' }, 'hawser: hi'],
]

for (const [what, event, expected] of ROWS) {
  test(`as text: ${what}`, () => {
    assert.equal(describeEvent(event, false), expected)
  })
}

test('what a Worker says cannot move the cursor, but may have lines and tabs', () => {
  const message = 'a\u001B[2Jb\r\n\tc\u009Bd'
  assert.equal(describeEvent({ event: 'log', level: 'info', source: 'worker', message }, false), 'a[2Jb\n\tcd')
})

test('colours only where they are asked for', () => {
  assert.ok(describeEvent(FLOW, true).startsWith('\u001B[90m'))
  const error = { event: 'log', level: 'error', source: 'worker', message: 'x' } as const
  assert.ok(describeEvent(error, true).startsWith('\u001B[31m'))
  assert.equal(describeEvent({ event: 'log', level: 'info', source: 'worker', message: 'x' }, true), 'x')
})
