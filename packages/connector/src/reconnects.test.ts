import assert from 'node:assert/strict'
import test from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { HawserError, Secret, silentLogger } from '@hawser/core'
import { RunningConnector } from './connector.ts'
import { systemClock } from './clock.ts'
import { FakeEdges } from './fake-tunnel.ts'
import type { FakeTunnel } from './fake-tunnel.ts'

const ROUNDS = 10_000
/** Ten bytes a reconnect would be seen; what the heap does by itself is less than this. */
const SLACK_BYTES = 3 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heapBytes(): number {
  for (let time = 0; time < 3; time += 1) collect()
  return process.memoryUsage().heapUsed
}

test('10,000 reconnects, moves between edges among them, leave nothing behind', { timeout: 120_000 }, async () => {
  const gone = new HawserError('tunnel_closed', 'gone')
  const edges = new FakeEdges()
  const connector = new RunningConnector(
    {
      token: { accountId: 'a', tunnelId: 't', secret: new Secret('s'), edges: [], caPem: '' },
      edges: [
        { host: 'a', port: 1 },
        { host: 'b', port: 1 },
      ],
      rules: () => undefined,
      connections: 1,
      weight: 100,
    },
    silentLogger,
    {
      connectTunnel: edges.connectTunnel,
      clock: { ...systemClock, wait: () => new Promise<void>((resolve) => setImmediate(resolve)) },
    },
  )
  connector.start()
  let before = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    while (edges.opened.length === 0) await new Promise(setImmediate)
    const tunnel = edges.opened.pop() as FakeTunnel
    edges.attempts.length = 0
    if (round % 3 === 0) tunnel.leave()
    await new Promise(setImmediate)
    tunnel.end(round % 2 === 0 ? gone : undefined)
    if (round === ROUNDS / 10) before = heapBytes() // after what is made once
  }
  await new Promise(setImmediate)
  assert.ok(heapBytes() - before < SLACK_BYTES, `${heapBytes() - before} bytes more after ${ROUNDS} reconnects`)
  assert.equal(connector.activeStreams, 0)
  await connector.close(0)
})
