import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchMemory } from './support/memory.ts'
import { startStack } from './support/stack.ts'
import { hashBody, httpTarget, patternChunks, patternHash, sendPattern } from './support/targets.ts'

const BYTES = 200 * 1024 * 1024
const MAX_GROWTH_MIB = 64

test(
  '200 MB each way through fetch() arrive whole, with flat memory in edge and connector',
  { timeout: 180_000 },
  async () => {
    await using target = await httpTarget((request, response) => {
      if (request.method === 'GET')
        return void sendPattern(response, request.url === '/small' ? 1000 : BYTES).catch(() => {})
      return void hashBody(request).then(
        (seen) => response.end(JSON.stringify(seen)),
        () => response.destroy(),
      )
    })
    await using stack = await startStack()
    const url = `http://${target.address}`
    await (await stack.ask('/fetch', { target: `${url}/small` })).arrayBuffer() // code and pools are loaded before the count starts
    const expected = { bytes: BYTES, sha256: patternHash(BYTES) }

    const memory = watchMemory([stack.edge, stack.connector])
    const down = await stack.ask('/fetch', { target: `${url}/large` })
    assert.ok(down.body !== null)
    assert.deepEqual(await hashBody(down.body), expected)

    const body = ReadableStream.from(patternChunks(BYTES))
    const up = await stack.ask('/fetch', { target: `${url}/upload` }, { method: 'POST', body, duplex: 'half' })
    assert.deepEqual(await up.json(), expected)

    const [edgeGrowth = 0, connectorGrowth = 0] = memory.stop()
    assert.ok(edgeGrowth < MAX_GROWTH_MIB, `the edge grew by ${edgeGrowth.toFixed(1)} MiB`)
    assert.ok(connectorGrowth < MAX_GROWTH_MIB, `the connector grew by ${connectorGrowth.toFixed(1)} MiB`)
  },
)
