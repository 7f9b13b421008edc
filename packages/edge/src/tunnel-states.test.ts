import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDirectory } from '@hawser/directory'
import type { Directory } from '@hawser/directory'
import { CapturedLog } from '@hawser/testkit'
import { FakeConnection } from './fake-connection.ts'
import { TunnelStates } from './tunnel-states.ts'
import { Tunnels } from './tunnels.ts'

async function bench(): Promise<
  { directory: Directory; tunnels: Tunnels; states: TunnelStates; log: CapturedLog; id: string } & AsyncDisposable
> {
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  const { id } = await directory.tunnels.create({ name: 'lab' })
  const log = new CapturedLog()
  const tunnels = new Tunnels(directory.tunnels, log)
  const states = new TunnelStates(directory, tunnels, log)
  return { directory, tunnels, states, log, id, [Symbol.asyncDispose]: () => directory.close() }
}

test('states: the first connection and the last one are noted, those between are not', async () => {
  await using on = await bench()
  const { directory, tunnels, states, id } = on
  const connections = [new FakeConnection('a', { tunnelId: id }), new FakeConnection('b', { tunnelId: id })] as const
  for (const connection of connections) tunnels.add(connection)
  await states.close()
  const active = await directory.tunnelActivity.get(id)
  assert.equal(active?.inactiveAt, undefined)
  await connections[0].close()
  await states.close()
  assert.deepEqual(await directory.tunnelActivity.get(id), active)
  await connections[1].close()
  await states.close()
  assert.ok((await directory.tunnelActivity.get(id))?.inactiveAt !== undefined)
})

test('states: connectors are told their configuration when they come and when it changes', async () => {
  await using on = await bench()
  const { directory, tunnels, states, id } = on
  const early = new FakeConnection('a', { tunnelId: id })
  tunnels.add(early)
  states.onConnection(early)
  await states.configure(id)
  assert.deepEqual(early.configured, [], 'there is none yet')
  const { version, settings } = await directory.tunnelConfigurations.put(id, { deny: ['10.0.0.0/8'] })
  await states.configure(id)
  assert.deepEqual(early.configured, [{ version, settings }])
  const late = new FakeConnection('b', { tunnelId: id })
  states.onConnection(late)
  while (late.configured.length === 0) await new Promise(setImmediate)
  assert.deepEqual(late.configured, early.configured)
})

test('states: a directory that fails costs a line of the log and nothing else', async () => {
  await using on = await bench()
  await on.directory.close()
  on.tunnels.add(new FakeConnection('a', { tunnelId: on.id }))
  await on.states.configure(on.id)
  await on.states.close()
  assert.deepEqual(
    on.log.at('warn').map(({ fields }) => fields['code']),
    ['storage_failed', 'storage_failed'],
  )
})
