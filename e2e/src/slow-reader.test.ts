import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privateServer, startClientStack } from './support/client-stack.ts'
import { watchMemory } from './support/memory.ts'
import { readBeside, serveBytes } from './support/slow-reader.ts'

const FLOWS = 20
const BYTES = 8 * 1_048_576
/**
 * What may lie between a target and a reader that has stopped: one window of the tunnel (4 MiB, docs/protocol.md) and what the
 * kernel keeps for the connections at either end, which by default is up to 6 MiB to be read and 4 MiB to be sent on each.
 */
const MAX_HELD_BYTES = (4 + 2 * (6 + 4)) * 1_048_576
/** Edge and connector may each hold a window for each flow, and what their heaps grow by while they carry bulk. */
const MAX_RISE_MIB = 128

test(
  'while one reader stands still, twenty others get all they asked for, and little is held',
  { timeout: 180_000 },
  async (t) => {
    const sent = { stalled: 0, flowing: 0 }
    await using target = await privateServer((socket) => serveBytes(socket, sent))
    await using stack = await startClientStack()
    const connector = await stack.connect()
    const load = { flows: FLOWS, bytes: BYTES }
    const alone = await readBeside(stack.network, target.address, { ...load, stalled: false })
    assert.deepEqual(new Set(alone.bytes), new Set([BYTES]))

    const memory = watchMemory([stack.edge, connector])
    const beside = await readBeside(stack.network, target.address, { ...load, stalled: true })
    const [edgeMiB = 0, connectorMiB = 0] = memory.stop()
    assert.deepEqual(new Set(beside.bytes), new Set([BYTES]))
    t.diagnostic(`the others took ${(beside.elapsedMs / alone.elapsedMs).toFixed(2)} times as long`)
    assert.ok(sent.stalled <= MAX_HELD_BYTES, `${sent.stalled} bytes are held for a reader that stands still`)
    assert.ok(sent.stalled > 65_536, 'the reader that stands still was sent to')
    for (const [name, rise] of Object.entries({ edgeMiB, connectorMiB })) {
      assert.ok(rise <= MAX_RISE_MIB, `${name}: rose by ${rise.toFixed(0)} MiB`)
    }
  },
)
