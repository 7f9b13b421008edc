import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseWrk } from './http-load.ts'

const REPORT = `Running 2s test @ http://127.0.0.1:1/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    13.54ms    2.11ms  41.30ms   91.24%
  4731 requests in 2.01s, 512.34KB read
Requests/sec:   2352.53
Transfer/sec:    254.77KB
`

test('the rate is read from the report of wrk', () => {
  assert.equal(parseWrk(REPORT), 2352.53)
})

test('failed requests make the report an error, not a rate', () => {
  const refused = REPORT.replace('Requests/sec', '  Non-2xx or 3xx responses: 12\nRequests/sec')
  assert.throws(() => parseWrk(refused), /Non-2xx or 3xx responses: 12/)
  const broken = REPORT.replace('Requests/sec', '  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec')
  assert.throws(() => parseWrk(broken), /Socket errors: connect 0, read 3/)
})

test('a report without a rate above zero is an error', () => {
  assert.throws(() => parseWrk(''), /no requests came through/)
  assert.throws(() => parseWrk('Requests/sec:      0.00\n'), /no requests came through/)
})
