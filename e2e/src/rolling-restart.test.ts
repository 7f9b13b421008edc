import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Pattern } from '../chaos/flow/pattern.ts'
import { serveFlow, TargetLedger } from '../chaos/flow/serve-flow.ts'
import { clientCaller } from '../chaos/load/callers.ts'
import { Load } from '../chaos/load/load.ts'
import { privateServer, startClientStack } from './support/client-stack.ts'
import type { Program } from './support/process.ts'

/** Far more than any flow of this test takes, even on a busy machine. */
const GRACE = ['--grace-period', '60s'] as const
const LIMITS = { maxBytes: 65_536, maxPausedMs: 1_500 } as const
const FLOWS = 24
/** So that new flows are opened before, between and after the restarts too. */
const BETWEEN_MS = 1_500

test(
  'two replicas are restarted one after the other: no flow breaks, and none fails to open',
  { timeout: 180_000 },
  async () => {
    const seed = 11
    const pattern = new Pattern(seed)
    const ledger = new TargetLedger()
    await using target = await privateServer((socket) => serveFlow(socket, pattern, ledger))
    await using stack = await startClientStack()
    let replicas: Program[] = [await stack.connect(...GRACE), await stack.connect(...GRACE)]

    const load = new Load(seed, [
      { caller: clientCaller(stack.network, target.address, pattern, LIMITS), flows: FLOWS },
    ])
    const running = load.run()
    for (const [index, replica] of replicas.entries()) {
      await pause(BETWEEN_MS)
      const before = load.totals().flows
      assert.equal(await replica.kill('SIGTERM'), 0, `a replica stopped with a failure:\n${replica.lines.join('\n')}`)
      assert.ok(load.totals().flows > before, 'flows went on while one replica was drained')
      replicas = replicas.with(index, await stack.connect(...GRACE))
    }
    await pause(BETWEEN_MS)
    load.stop()
    await running

    const { flows, ok, failures, corrupted, silent } = load.totals()
    assert.deepEqual({ failures, corrupted, silent }, { failures: {}, corrupted: [], silent: [] })
    assert.equal(ok, flows)
    assert.ok(flows > FLOWS * 3, `only ${flows} flows`)
    assert.deepEqual(ledger.corrupted, [])
    assert.ok(replicas.every(({ ended }) => !ended))
  },
)
