/** What every peer must do, whatever it is: one suite for all of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { exchange } from '../load/exchange.ts'
import { IdleConnections } from '../load/idle.ts'
import { reconnect } from '../load/reconnect.ts'
import { residentKiB } from '../memory.ts'
import { startRole } from '../role.ts'
import type { TargetOperations } from '../roles/target.ts'
import { Scope } from '../scope.ts'
import { chisel } from './chisel.ts'
import { frp } from './frp.ts'
import { hawser } from './hawser.ts'
import { loopback } from './loopback.ts'
import type { Way } from './peer.ts'
import { ssh } from './ssh.ts'
import { stunnel } from './stunnel.ts'

const LIMIT = { timeout: 60_000 }
const SPAN = { rampMs: 20, countMs: 600 } // long enough for something to come through on a busy machine

const never = new AbortController().signal

for (const peer of [hawser, ssh, frp, chisel, stunnel, loopback]) {
  /** Runs `body` with the peer in front of an echo service; skips the test where the peer is absent. */
  const withPeer = async (t: TestContext, body: (way: Way) => Promise<void>): Promise<void> => {
    assertNoLeaks(t)
    const reason = await peer.absence()
    if (reason !== undefined) return t.skip(reason)
    await using scope = await Scope.open(never)
    const target = await startRole<TargetOperations>(scope, 'target')
    await body(await peer.start(await scope.nested(), await target.call('listen', 'echo')))
  }

  test(`${peer.name} carries many connections at once`, LIMIT, (t) =>
    withPeer(t, async ({ port }) => {
      assert.ok((await exchange({ ...SPAN, port, clients: 20 })) > 0)
    }),
  )

  test(`${peer.name} carries connection after connection and ends each in order`, LIMIT, (t) =>
    withPeer(t, async ({ port }) => {
      assert.ok((await reconnect({ ...SPAN, port, concurrency: 4 })) > 0)
    }),
  )

  test(`${peer.name} names the processes that hold its idle connections`, LIMIT, (t) =>
    withPeer(t, async ({ port, processes }) => {
      const idle = new IdleConnections()
      assert.equal(await idle.hold({ port, streams: 100 }), 100)
      assert.equal((await residentKiB(processes)) > 0, peer !== loopback)
      await idle.release()
    }),
  )
}
