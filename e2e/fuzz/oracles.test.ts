/** The oracles themselves, on cases that can be checked by eye. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { llhttpHead } from './llhttp.ts'
import { isBlocked, splitPort, unmapped, urlHost } from './oracles.ts'
import { readAuthority } from './targets/authority.ts'

test('the URL standard reads literals in every spelling, and names', () => {
  assert.deepEqual(urlHost('0x7f.1'), { ip: '127.0.0.1' })
  assert.deepEqual(urlHost('[::FFFF:127.0.0.1]'), { ip: '::ffff:7f00:1' })
  assert.deepEqual(urlHost('2001:DB8::1'), { ip: '2001:db8::1' })
  assert.deepEqual(urlHost('DB.Internal.'), { name: 'db.internal.' })
  for (const text of ['', 'a:80', '[::1', 'a b', 'a/b', 'a@b', '1.2.3.4.5', '%zz', ' a'])
    assert.equal(urlHost(text), undefined, text)
})

test('mapped addresses become the ones they carry, and others stay', () => {
  assert.equal(unmapped('::ffff:7f00:1'), '127.0.0.1')
  assert.equal(unmapped('::ffff:808:808'), '8.8.8.8')
  assert.equal(unmapped('::1'), '::1')
})

test('what is not public is on the list, and what is public is not', () => {
  for (const ip of ['127.0.0.1', '10.9.8.7', '100.127.0.1', '::1', 'fe80::1', '2002::1', '::ffff:a00:1'])
    assert.ok(isBlocked(ip), ip)
  for (const ip of ['8.8.8.8', '1.0.0.0', '100.128.0.1', '2606:4700::1', '::ffff:808:808'])
    assert.ok(!isBlocked(ip), ip)
})

test('a port is cut off from behind', () => {
  assert.deepEqual(splitPort('a:80'), { host: 'a', port: 80 })
  assert.deepEqual(splitPort('[::1]:00080'), { host: '[::1]', port: 80 })
  for (const text of ['', 'a', ':80', 'a:', 'a:65536', 'a:8x', 'a:-1']) assert.equal(splitPort(text), undefined, text)
})

test('the grammar of authorities is read from behind', () => {
  const capability = '0123456789abcdef'.repeat(2)
  assert.deepEqual(readAuthority(`db.internal.s-abc1-${capability}.hawser:5432`), {
    host: 'db.internal',
    operation: 's',
    id: 'abc1',
    capability,
    port: 5432,
  })
  for (const text of [`a.x-1-${capability}.hawser:1`, `a.c-1-${capability}0.hawser:1`, `a.c-1-${capability}.other:1`]) {
    assert.equal(readAuthority(text), undefined, text)
  }
})

test('llhttp says what a head asks for and how long it is', () => {
  const head = 'CONNECT a.example:80 HTTP/1.1\r\nHost: b\r\n\r\n'
  assert.deepEqual(llhttpHead(Buffer.from(`${head}rest`)), {
    request: ['CONNECT', 'a.example:80', head.length],
    host: 'b',
  })
  for (const text of [head.slice(0, -1), head.replace('Host: b', 'Host : b'), 'CONNECT a b HTTP/1.1\r\n\r\n']) {
    assert.equal(llhttpHead(Buffer.from(text)), undefined, text)
  }
})
