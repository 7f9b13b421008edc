import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import { openDirectory } from '@hawser/directory'
import type { Directory } from '@hawser/directory'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { ClientAccess } from './client-access.ts'
import type { Grant } from './client-access.ts'
import { helloProof } from './client-hello.ts'
import type { TargetKind } from './client-hello.ts'

const BINDING = Buffer.alloc(32, 3)

interface Lab {
  readonly directory: Directory
  readonly log: CapturedLog
  readonly ids: { readonly office: string; readonly vault: string; readonly stock: string; readonly till: string }
  readonly clientId: string
  /** Asks as the client, with a good proof unless another secret is given. */
  readonly ask: (kind: TargetKind, target: string, clientId?: string, secret?: Secret) => Promise<Grant>
}

/** A client that may use `office` and `stock`, and neither `vault` nor `till`. */
async function open(t: TestContext): Promise<Lab> {
  assertNoLeaks(t)
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  t.after(() => directory.close())
  const { tunnels, services, clients } = directory
  const [office, vault] = [await tunnels.create({ name: 'office' }), await tunnels.create({ name: 'vault' })]
  const target = { type: 'http', tunnelId: vault.id, host: 'db' } as const
  const [stock, till] = [
    await services.create({ ...target, name: 'stock' }),
    await services.create({ ...target, name: 'till' }),
  ]
  const client = await clients.create({ name: 'batch', networks: [office.id], services: [stock.id] })
  const own = (await clients.secretOf(client.id)) ?? new Secret('')
  const log = new CapturedLog()
  const access = new ClientAccess(directory, log)
  return {
    directory,
    log,
    ids: { office: office.id, vault: vault.id, stock: stock.id, till: till.id },
    clientId: client.id,
    ask(kind, name, clientId = client.id, secret = own) {
      const hello = { clientId, kind, target: name }
      return access.admit({ ...hello, proof: helloProof(secret, BINDING, hello) }, BINDING)
    },
  }
}

async function refusal(promise: Promise<Grant>): Promise<string> {
  const error: unknown = await promise.then(
    () => assert.fail('let in'),
    (reason: unknown) => reason,
  )
  assert.ok(HawserError.is(error, 'unauthorized'))
  return error.message
}

test('what was granted is let in, by id and by name', async (t) => {
  const { ask, ids, clientId } = await open(t)
  for (const target of [ids.office, 'office']) {
    const grant = await ask('network', target)
    assert.deepEqual(grant.client, { id: clientId, name: 'batch' })
    assert.deepEqual(grant.target, { kind: 'network', tunnelId: ids.office, name: 'office' })
  }
  for (const target of [ids.stock, 'stock']) {
    const { target: granted } = await ask('service', target)
    assert.equal(granted.kind === 'service' && granted.service.id, ids.stock)
  }
})

test('what was not granted and what does not exist are refused alike', async (t) => {
  const { ask, ids } = await open(t)
  for (const [kind, targets] of [
    ['network', [ids.vault, 'vault', 'nothing', '', ids.stock, 'stock']],
    ['service', [ids.till, 'till', 'nothing', '', ids.office, 'office']],
  ] as const) {
    for (const target of targets) {
      const message = await refusal(ask(kind, target))
      assert.equal(message, `client "batch" may not use ${kind} ${JSON.stringify(target)}, or it does not exist`)
    }
  }
})

test('an unknown client and a wrong secret are refused alike', async (t) => {
  const { ask, clientId } = await open(t)
  const wrong = new Secret(Buffer.alloc(32, 9).toString('base64'))
  const unknown = await refusal(ask('network', 'office', '00000000-0000-4000-8000-000000000000'))
  assert.equal(await refusal(ask('network', 'office', clientId, wrong)), unknown)
  assert.equal(await refusal(ask('network', 'office', 'batch')), unknown) // a name is no id
})

test('a client that was deleted is unknown at once', async (t) => {
  const { ask, directory, clientId } = await open(t)
  await ask('network', 'office')
  await directory.clients.delete(clientId)
  assert.match(await refusal(ask('network', 'office')), /does not accept this token/)
})

test('a name that another tunnel has taken over is not granted with it', async (t) => {
  const { ask, directory, ids } = await open(t)
  await directory.tunnels.update(ids.office, { name: 'old office' })
  await directory.tunnels.update(ids.vault, { name: 'office' })
  await refusal(ask('network', 'office'))
  await ask('network', 'old office')
})

test('what the directory says of itself stays with the operator', async (t) => {
  const { ask, directory, log } = await open(t)
  await directory.close()
  await assert.rejects(ask('network', 'office'), {
    code: 'proxy_internal_error',
    message: 'the edge cannot check tokens at the moment',
  })
  assert.equal(log.lines.at(-1)?.message, 'could not look up a client')
})
