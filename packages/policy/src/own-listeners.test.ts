import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import { interfaceAddresses, isOwnListener } from './own-listeners.ts'

const LOCAL = ['127.0.0.1', '::1', '192.168.7.7', '203.0.114.9', 'fe80::7%eth0', '2a00:1::7']

function loops(listener: string, ip: string, ports: readonly [number, number] = [7000, 7000]): boolean {
  return isOwnListener(ip, ports[1], [{ host: listener, port: ports[0] }], () => LOCAL)
}

test('a listener on one address is reached at that address and port alone', () => {
  assert.equal(loops('192.168.7.7', '192.168.7.7'), true)
  assert.equal(loops('192.168.7.7', '192.168.7.7', [7000, 7001]), false)
  assert.equal(loops('192.168.7.7', '203.0.114.9'), false)
  assert.equal(loops('192.168.7.7', '127.0.0.1'), false)
})

test('a listener is found however its address is written', () => {
  assert.equal(loops('::ffff:192.168.7.7', '192.168.7.7'), true)
  assert.equal(loops('[2A00:1:0::7]', '2a00:1::7'), true)
  assert.equal(loops('127.1', '127.0.0.1'), true)
})

test('a wildcard listener is reached at every address of the machine, of either family', () => {
  for (const wildcard of ['0.0.0.0', '::', '[::]', '::ffff:0.0.0.0']) {
    for (const ip of [
      '192.168.7.7',
      '203.0.114.9',
      '2a00:1::7',
      'fe80::7',
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '0.0.0.0',
      '::',
    ]) {
      assert.equal(loops(wildcard, ip), true, `${wildcard} ${ip}`)
    }
    assert.equal(loops(wildcard, '203.0.114.10'), false)
    assert.equal(loops(wildcard, '203.0.114.9', [7000, 7001]), false)
  }
})

test('a loopback listener is reached by dialling the unspecified address too', () => {
  assert.equal(loops('127.0.0.1', '0.0.0.0'), true)
  assert.equal(loops('::1', '::'), true)
  assert.equal(loops('192.168.7.7', '0.0.0.0'), false)
})

test('a listener known only by name counts as bound to every address', () => {
  assert.equal(loops('localhost', '127.0.0.1'), true)
  assert.equal(loops('edge.example', '203.0.114.9'), true)
  assert.equal(loops('not a host', '203.0.114.9'), true)
  assert.equal(loops('edge.example', '203.0.114.10'), false)
})

test('interfaces are listed only when a wildcard listener has the port', () => {
  let asked = 0
  const local = (): string[] => {
    asked += 1
    return LOCAL
  }
  const listeners = [
    { host: '::', port: 7000 },
    { host: '127.0.0.1', port: 7001 },
  ]
  assert.equal(isOwnListener('203.0.114.10', 443, listeners, local), false)
  assert.equal(isOwnListener('203.0.114.10', 7001, listeners, local), false)
  assert.equal(asked, 0)
  assert.equal(isOwnListener('203.0.114.10', 7000, listeners, local), false)
  assert.equal(asked, 1)
})

test("the machine's own list holds loopback", () => {
  const addresses = interfaceAddresses()
  assert.ok(addresses.includes('127.0.0.1'))
  assert.ok(addresses.every((address) => isIP(address) !== 0))
})
