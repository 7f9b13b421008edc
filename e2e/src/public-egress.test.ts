import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { NetworkNamespace } from './support/namespace.ts'

const SCENARIO = fileURLToPath(new URL('scenarios/public-egress.ts', import.meta.url))
const PREFIX = 'proxy request failed, cannot connect to the specified address'

const HOSTS = `
127.0.0.1 localhost
8.8.8.8 public.example
127.0.0.1 sneaky.example
`

test('global connect() and fetch() reach public addresses and nothing else', { timeout: 120_000 }, async (t) => {
  await using namespace = await NetworkNamespace.open({ hosts: HOSTS, addresses: ['8.8.8.8/32'] })
  if (namespace === undefined) return t.skip('network namespaces need root and iproute2')
  await using program = namespace.node([SCENARIO])
  const seen = JSON.parse((await program.line(/^RESULT (.*)$/))[1] ?? '') as Record<
    string,
    { status?: number; body?: string }
  >
  // It stops what it has started before it leaves; stopped itself, it would leave that running.
  assert.equal(await program.exited, 0, program.lines.join('\n'))
  const refused = { failed: `Error: ${PREFIX}` }
  const opened = { opened: true }

  assert.deepEqual(seen['8.8.8.8:7000'], opened)
  assert.deepEqual(seen['public.example:7000'], opened)
  for (const target of [
    '127.0.0.1:7000',
    '[::ffff:127.0.0.1]:7000',
    '2130706433:7000',
    'sneaky.example:7000',
    'localhost:7000',
    '8.8.8.8:7001',
  ]) {
    assert.deepEqual(seen[target], refused, target)
  }
  assert.deepEqual(seen['8.8.8.8:25'], { failed: 'Error: Connections to port 25 are prohibited' })
  assert.deepEqual(seen['8.8.8.8:own-listener'], { failed: 'Error: TCP Loop detected' })

  assert.deepEqual(seen['http://8.8.8.8:8080/'], { status: 200, body: 'hello' })
  assert.deepEqual(seen['http://public.example:8080/'], { status: 200, body: 'hello' })
  for (const target of ['http://127.0.0.1:8080/', 'http://sneaky.example:8080/', 'http://0x7f.1:8080/']) {
    assert.equal(seen[target]?.status, 403, target)
    assert.match(seen[target]?.body ?? '', /^error code: 1003\nProxyError: destination_ip_prohibited/)
  }
  assert.equal(seen['http://no-such-name.example/']?.status, 530)
  assert.equal(seen['http://8.8.8.8:8081/']?.status, 521)
})
