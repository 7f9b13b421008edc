import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textReport } from './report.ts'

const LONG = 'gone: the driver saw nothing of it in time'

test('the table has a line for each driver, a dash where there is nothing, and a sum', () => {
  const text = textReport([
    { driver: 'pg', version: '8.0.0', server: 'PostgreSQL', plain: 'ok', tls: 'ok' },
    { driver: 'gopher', version: null, server: 'Gophernicus', plain: 'ok', tls: null },
  ])
  assert.deepEqual(text.split('\n'), [
    'driver  version  server       plain  tls',
    'pg      8.0.0    PostgreSQL   ok     ok',
    'gopher  -        Gophernicus  ok     -',
    '',
    '2 of 2 drivers work, 1 of them with TLS',
    '',
  ])
})

test('a reason that is too long for its column is told whole below the table', () => {
  const text = textReport([{ driver: 'pg', version: '8.0.0', server: 'PostgreSQL', plain: LONG, tls: 'ok' }])
  assert.match(text, /gone: the driver saw nothing …  ok/)
  assert.ok(text.includes(`\npg plain: ${LONG}\n`))
  assert.match(text, /0 of 1 drivers work, 1 of them with TLS/)
})
