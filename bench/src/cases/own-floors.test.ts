/** The cases that compare Hawser with what Node does by itself: that what they measure is what they say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { startRole } from '../role.ts'
import type { SocketsLoadOperations } from '../roles/sockets-load.ts'
import type { TargetOperations } from '../roles/target.ts'
import { Scope } from '../scope.ts'
import { hawserSockets, nodeNet } from './sockets-case.ts'
import { openTlsPaths } from './tls-paths.ts'

const LIMIT = { timeout: 60_000 }
const SPAN = { rampMs: 0, countMs: 150 }
const never = new AbortController().signal

for (const sessions of [true, false]) {
  test(
    `TLS by the edge and by node:tls: sessions are ${sessions ? '' : 'not '}resumed on both sides`,
    LIMIT,
    async (t) => {
      assertNoLeaks(t)
      await using scope = await Scope.open(never)
      const paths = await openTlsPaths(scope, sessions)
      for (const secure of [false, true]) {
        assert.ok((await paths.edge(secure, SPAN)) > 0)
        assert.ok((await paths.direct(secure, SPAN)) > 0)
      }
      assert.ok((await paths.through(true, SPAN)) > 0)
      const { edge, direct } = await paths.resumed()
      assert.deepEqual([edge > 0, direct > 0], [sessions, sessions])
    },
  )
}

for (const { name, role } of [hawserSockets, nodeNet]) {
  test(`a program on ${name} receives, sends, and connects again and again`, LIMIT, async (t) => {
    assertNoLeaks(t)
    await using scope = await Scope.open(never)
    const target = await startRole<TargetOperations>(scope, 'target')
    const program = await startRole<SocketsLoadOperations>(scope, role)
    for (const [operation, service] of [
      ['receive', 'source'],
      ['send', 'sink'],
      ['connect', 'echo'],
    ] as const) {
      assert.ok((await program.call(operation, { ...SPAN, port: await target.call('listen', service) })) > 0)
    }
  })

  test(`a program on ${name} says so when its target is gone`, LIMIT, async (t) => {
    assertNoLeaks(t)
    await using scope = await Scope.open(never)
    const program = await startRole<SocketsLoadOperations>(scope, role)
    for (const operation of ['receive', 'send', 'connect'] as const) {
      await assert.rejects(program.call(operation, { ...SPAN, port: 1 }), /ECONNREFUSED|cannot connect|cancelled/)
    }
  })
}
