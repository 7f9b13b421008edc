import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { probe } from '../load/http.ts'
import { LOOPBACK } from '../ports.ts'
import { startRole } from '../role.ts'
import type { TargetOperations } from '../roles/target.ts'
import { Scope } from '../scope.ts'
import { CASES } from './index.ts'
import { startPeer } from './start-peer.ts'
import { workerOnHawser, workerOnWorkerd } from './worker-side.ts'

const LIMIT = { timeout: 60_000 }
const never = new AbortController().signal

test('every case has a name of its own, a unit, and Hawser before its peers', () => {
  assert.equal(new Set(CASES.map((of) => of.name)).size, CASES.length)
  for (const { name, unit, summary, sides } of CASES) {
    assert.match(name, /^[a-z]+(-[a-z0-9]+)*$/)
    assert.ok(unit !== '' && summary !== '')
    const [ours, ...peers] = sides.map((side) => side.name)
    assert.equal(ours, 'hawser')
    assert.ok(peers.length > 0)
    assert.equal(new Set(peers).size, peers.length)
  }
})

test('throughput is better when it is more, memory when it is less', () => {
  for (const { unit, better } of CASES) assert.equal(better, unit.endsWith('/s') ? 'more' : 'less')
})

/** By what a case is about: the first word of its name. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  worker: ['workerd'],
  tls: ['node:tls', 'in clear'],
  sockets: ['node:net'],
  dev: ['wrangler dev'],
  idle: ['12 KB', 'hawser with 10'],
  routes: ['1 µs', '5 s', '100 MiB'],
}

test('ssh is a peer wherever connections are carried; elsewhere it is what does the same without Hawser', () => {
  for (const { name, sides } of CASES) {
    const peers = FLOORS[name.split('-')[0] ?? ''] ?? ['ssh -L']
    assert.ok(
      sides.some((side) => peers.includes(side.name)),
      name,
    )
  }
})

for (const side of [workerOnWorkerd, workerOnHawser]) {
  test(`a Worker on ${side.name} reaches the private service both ways`, LIMIT, async (t) => {
    assertNoLeaks(t)
    await using scope = await Scope.open(never)
    const target = await startRole<TargetOperations>(scope, 'target')
    const vars = {
      ECHO: `${LOOPBACK}:${await target.call('listen', 'echo')}`,
      HTTP: `http://${LOOPBACK}:${await target.call('listen', 'http')}/`,
    }
    const url = await side.start(await scope.nested(), vars)
    await probe(`${url}connect`)
    await probe(`${url}fetch`)
  })
}

test('a peer whose port was taken in the meantime is tried again, in a folder of its own', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const folders = new Set<string>()
  const unlucky = {
    name: 'unlucky',
    absence: () => Promise.resolve(undefined),
    start: (own: Scope) => {
      folders.add(own.folder)
      return folders.size < 3
        ? Promise.reject(new Error('address in use'))
        : Promise.resolve({ port: 1, processes: [] })
    },
  }
  assert.deepEqual(await startPeer(scope, unlucky, 1), { port: 1, processes: [] })
  assert.equal(folders.size, 3)
})

test('a peer that never starts is given up with its last reason', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  let attempts = 0
  const broken = {
    name: 'broken',
    absence: () => Promise.resolve(undefined),
    start: () => Promise.reject(new Error(`attempt ${(attempts += 1)}`)),
  }
  await assert.rejects(startPeer(scope, broken, 1), /attempt 3/)
})
