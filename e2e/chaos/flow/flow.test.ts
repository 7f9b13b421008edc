import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { connect as openSocket } from '../../../packages/sockets/src/index.ts'
import { Pattern } from './pattern.ts'
import { ENDINGS, planFlow } from './plan.ts'
import type { Ending, FlowPlan } from './plan.ts'
import { runFlow } from './run-flow.ts'
import type { FlowResult, FlowSocket } from './run-flow.ts'
import { serveFlow, TargetLedger } from './serve-flow.ts'

const LIMIT = { timeout: 20_000 } as const
const pattern = new Pattern(1)

/** A server whose every connection goes to `serve`; its address. */
async function listen(owner: AsyncDisposableStack, serve: (socket: Socket) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, serve).listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.defer(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A private service with a ledger. */
async function target(owner: AsyncDisposableStack): Promise<{ address: string; ledger: TargetLedger }> {
  const ledger = new TargetLedger()
  return { ledger, address: await listen(owner, (socket) => serveFlow(socket, pattern, ledger)) }
}

function flow(plan: FlowPlan, address: string): Promise<FlowResult> {
  const progress = { opened: false, sent: 0, received: 0 }
  return runFlow(plan, pattern, (options) => openSocket(address, options), progress)
}

const planOf = (id: number, ending: Ending): FlowPlan => ({ id, ending, up: 30_000, down: 40_000, pauseMs: 1 })

for (const ending of ENDINGS) {
  test(`${ending}: ends as planned, at both ends`, LIMIT, async (t) => {
    assertNoLeaks(t)
    await using owner = new AsyncDisposableStack()
    const { address, ledger } = await target(owner)
    const plans = Array.from({ length: 20 }, (_, id) => ({
      ...planFlow(4, id, { maxBytes: 50_000 }),
      ending,
      pauseMs: 0,
    }))
    const results = await Promise.all([...plans, planOf(99, ending)].map((plan) => flow(plan, address)))
    assert.deepEqual(
      results.filter(({ outcome }) => outcome !== 'ok'),
      [],
    )
    while (ledger.open > 0) await new Promise(setImmediate)
    assert.equal(ledger.served, 21)
    assert.deepEqual(ledger.corrupted, [])
  })
}

/** A way to the target that does to the bytes what no way may do. */
async function badWay(
  owner: AsyncDisposableStack,
  address: string,
  spoil: (caller: Socket, target: Socket) => void,
): Promise<string> {
  const [host = '', port = ''] = address.split(':')
  return listen(owner, (caller) => {
    const onward = connect({ host, port: Number(port), allowHalfOpen: true })
    for (const socket of [caller, onward]) socket.on('error', () => {})
    spoil(caller, onward)
  })
}

test('an answer that ends early and cleanly counts as corrupted', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using owner = new AsyncDisposableStack()
  const { address } = await target(owner)
  const way = await badWay(owner, address, (caller, onward) => {
    caller.pipe(onward)
    onward.once('data', (chunk: Buffer) => {
      caller.end(chunk.subarray(0, chunk.length - 1))
      onward.resume()
    })
  })
  const { outcome, detail } = await flow(planOf(1, 'halfClose'), way)
  assert.equal(outcome, 'corrupted')
  assert.match(detail ?? '', /a clean end after \d+ of 40000 bytes/)
})

test('a byte that changes on the way counts as corrupted, whichever way it goes', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using owner = new AsyncDisposableStack()
  const { address, ledger } = await target(owner)
  const flip = (chunk: Buffer): Buffer => {
    const copy = Buffer.from(chunk)
    const last = copy.length - 1
    copy[last] = (copy[last] ?? 0) ^ 1
    return copy
  }
  const spoilt = async (upwards: boolean): Promise<FlowResult> => {
    const way = await badWay(owner, address, (caller, onward) => {
      let chunks = 0
      const pass = (from: Socket, to: Socket, spoil: boolean): void => {
        from.on('data', (chunk: Buffer) => void to.write(spoil && (chunks += 1) > 1 ? flip(chunk) : chunk))
        from.on('close', () => to.destroy())
      }
      pass(caller, onward, upwards)
      pass(onward, caller, !upwards)
    })
    return flow(planOf(2, 'both'), way)
  }
  assert.equal((await spoilt(false)).outcome, 'corrupted')
  await spoilt(true)
  const told = /flow 2 \(both\) at the target: another byte than was sent/
  assert.ok(ledger.corrupted.some(({ early, problem }) => !early && told.test(problem)))
})

test('an end of the caller that comes early counts as corrupted at the target', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using owner = new AsyncDisposableStack()
  const { address, ledger } = await target(owner)
  const [host = '', port = ''] = address.split(':')
  const caller = connect({ host, port: Number(port) })
  caller.on('error', () => {}).resume()
  caller.end('7 both 100 100 0\n')
  await once(caller, 'close')
  while (ledger.open > 0) await new Promise(setImmediate)
  assert.ok(ledger.corrupted.some(({ early, problem }) => early && /flow 7/.test(problem)))
})

test('a target that cannot be reached, and one that resets, are coded failures', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using owner = new AsyncDisposableStack()
  const refused = await flow(planOf(1, 'both'), '127.0.0.1:1')
  assert.deepEqual([refused.outcome, refused.code], ['failed', 'ECONNREFUSED'])
  const resetting = await listen(owner, (socket) => void socket.once('data', () => socket.resetAndDestroy()))
  const reset = await flow(planOf(1, 'both'), resetting)
  assert.equal(reset.outcome, 'failed')
  assert.match(reset.code ?? '', /ECONNRESET|EPIPE/)
})

/** A socket that takes the plan, and then fails as told; a read without an error ends. */
function failing(read: Error | undefined, write: Error): FlowSocket {
  let taken = 0
  return {
    readable: new ReadableStream({
      pull: (controller) => (read === undefined ? controller.close() : controller.error(read)),
    }),
    writable: new WritableStream({
      write() {
        if ((taken += 1) > 1) throw write
      },
    }),
    opened: Promise.resolve(),
    closed: Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

test('a failure with a code says more than one without, and an early end more than a write without a code', async () => {
  const lost = Object.assign(new Error('lost'), { code: 'ECONNRESET' })
  const closed = new TypeError('This WritableStream has been closed.')
  const run = (read: Error | undefined, write: Error): Promise<FlowResult> => {
    const progress = { opened: false, sent: 0, received: 0 }
    return runFlow(planOf(1, 'both'), pattern, () => failing(read, write), progress)
  }
  const told = async (read: Error | undefined, write: Error): Promise<unknown> => {
    const { outcome, code, early } = await run(read, write)
    return [outcome, code, early]
  }
  assert.deepEqual(await told(lost, closed), ['failed', 'ECONNRESET', undefined])
  assert.deepEqual(await told(undefined, lost), ['failed', 'ECONNRESET', undefined])
  assert.deepEqual(await told(undefined, closed), ['corrupted', undefined, true])
  assert.deepEqual(await told(new TypeError('This ReadableStream has been closed.'), closed), [
    'corrupted',
    undefined,
    true,
  ])
  assert.deepEqual(await told(new TypeError('another'), new TypeError('another')), ['failed', undefined, undefined])
})
