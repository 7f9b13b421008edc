import assert, { AssertionError } from 'node:assert/strict'
import test from 'node:test'
import type { Flow } from './flow.ts'
import { FlowLog } from './flow-log.ts'

const LIMIT = { timeout: 10_000 }
const TARGET = { host: 'db.internal', port: 5432 }

function flow(id: string, fields: Partial<Flow> = {}): Flow {
  return {
    id,
    startedAt: 0,
    binding: 'OFFICE',
    kind: 'connect',
    requested: 'db.internal:5432',
    bytesSent: 0,
    bytesReceived: 0,
    outcome: 'ok',
    ...fields,
  }
}

const REFUSED = { code: 'connection_refused', message: 'nobody listens', step: 'dial' }

async function ids(log: FlowLog, filter: Parameters<FlowLog['flows']>[0]): Promise<string> {
  return (await log.flows(filter)).map(({ id }) => id).join(' ')
}

test('calls are found by everything that a filter names', LIMIT, async () => {
  const log = new FlowLog()
  log.ended(flow('1'))
  log.ended(flow('2', { binding: 'egress', outcome: 'error', error: REFUSED }))
  log.ended(flow('3', { kind: 'fetch', requested: 'http://api.internal', outcome: 'aborted' }))
  assert.equal(await ids(log, {}), '1 2 3')
  assert.equal(await ids(log, { binding: 'OFFICE' }), '1 3')
  assert.equal(await ids(log, { requested: 'db.internal:5432' }), '1 2')
  assert.equal(await ids(log, { requested: /^http:/ }), '3')
  assert.equal(await ids(log, { kind: 'fetch' }), '3')
  assert.equal(await ids(log, { outcome: 'error' }), '2')
  assert.equal(await ids(log, { code: 'connection_refused' }), '2')
  assert.equal(await ids(log, { binding: 'OFFICE', outcome: 'error' }), '')
})

test('a pattern with a memory finds the same each time', LIMIT, async () => {
  const log = new FlowLog()
  const requested = /db/g
  for (const id of ['1', '2', '3']) log.ended(flow(id))
  assert.equal(await ids(log, { requested }), '1 2 3')
})

test('calls under way through the binding are waited for', LIMIT, async () => {
  const log = new FlowLog()
  log.opened('1', 'OFFICE', TARGET)
  const found = log.flows({ binding: 'OFFICE' })
  setImmediate(() => log.ended(flow('1')))
  assert.deepEqual(
    (await found).map(({ id }) => id),
    ['1'],
  )
})

test('calls of other bindings are not waited for, and those that stay open for a second', LIMIT, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const log = new FlowLog()
  log.opened('1', 'OFFICE', TARGET)
  assert.deepEqual(await log.flows({ binding: 'LAB' }), [])
  const found = log.flows()
  await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(1_000)
  assert.deepEqual(await found, [])
})

test('flow() waits for a call that has not begun', LIMIT, async () => {
  const log = new FlowLog()
  const found = log.flow({ binding: 'OFFICE' })
  setImmediate(() => setImmediate(() => log.ended(flow('1'))))
  assert.equal((await found).id, '1')
})

test('flow() says what there was, where there is none or more than one', LIMIT, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const log = new FlowLog()
  const messageOf = async (filter: Parameters<FlowLog['flow']>[0]): Promise<string> => {
    let isOver = false
    const found = log.flow(filter).catch((thrown: unknown) => thrown)
    void found.then(() => (isOver = true))
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve))
      t.mock.timers.tick(1_000)
    }
    const error: unknown = await found
    assert.ok(error instanceof AssertionError)
    return error.message
  }
  assert.equal(
    await messageOf({ binding: 'OFFICE' }),
    'expected one call (binding "OFFICE"), there are 0\nThe Worker made no call at all.',
  )
  log.ended(flow('1', { route: { via: 'local', remoteAddress: '127.0.0.1:40001' } }))
  log.ended(flow('2', { outcome: 'error', error: REFUSED }))
  log.opened('3', 'OFFICE', TARGET)
  assert.equal(
    await messageOf({ requested: /^db/ }),
    'expected one call (requested /^db/), there are 2\nWhat the Worker called:\n' +
      '  OFFICE connect db.internal:5432 → 127.0.0.1:40001 ok\n' +
      '  OFFICE connect db.internal:5432 error (connection_refused: nobody listens)\n' +
      '  OFFICE db.internal:5432 still open',
  )
})
