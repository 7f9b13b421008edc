import assert from 'node:assert/strict'
import test from 'node:test'
import { openDirectory } from '@hawser/directory'
import { nextStep } from './next-step.ts'

test('what comes next after the start of an edge fits what its tunnels have come to', async () => {
  await using directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  const next = (): Promise<string> => nextStep(directory, './edge')
  assert.equal(await next(), 'Next: hawser tunnel create <name> --data-dir ./edge')

  const lab = await directory.tunnels.create({ name: 'lab' })
  assert.match(
    await next(),
    /^Next: hawser tunnel token lab --data-dir \.\/edge > lab\.token, .+ --token-file lab\.token$/,
  )
  const other = await directory.tunnels.create({ name: 'other' })
  assert.match(await next(), /^Next: hawser tunnel token <tunnel> .+ connector run --token-file <tunnel>\.token$/)

  await directory.tunnelActivity.note(lab.id, true)
  assert.match(await next(), /^Connectors come back .+: hawser tunnel list --data-dir \.\/edge$/)
  await directory.tunnelActivity.note(lab.id, false)
  assert.match(await next(), /^Connectors come back /, 'the one that left with the edge')

  await directory.tunnels.delete(lab.id)
  assert.match(await next(), /^Next: hawser tunnel token other /)
  await directory.tunnels.delete(other.id)
  assert.match(await next(), /^Next: hawser tunnel create /)
})
