import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import type { BindingDoors } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { connectThrough, echoService, roundTrip } from './test-through.ts'
import { tunnelSite } from './test-tunnel-site.ts'

const limits = { timeout: 120_000 }
const WORKERS = 8

/** Opens, says little, closes, again and again; and every so often stays for longer. */
class Load {
  flows = 0
  readonly failures: string[] = []
  readonly #stopped = new AbortController()
  readonly #running: Promise<unknown>

  constructor(doors: BindingDoors, tcpPort: number, httpPort: number) {
    const connect = Array.from({ length: WORKERS }, (_, at) =>
      this.#repeat(() => this.#connect(doors, tcpPort, at === 0)),
    )
    const fetch = Array.from({ length: WORKERS }, () => this.#repeat(() => this.#fetch(doors, httpPort)))
    this.#running = Promise.all([...connect, ...fetch])
  }

  /** Waits until so many more have ended. */
  async more(count: number): Promise<void> {
    const wanted = this.flows + count
    while (this.flows < wanted && this.failures.length === 0) await new Promise(setImmediate)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #repeat(flow: () => Promise<void>): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        await flow()
      } catch (error) {
        this.failures.push(String(error))
      }
      this.flows += 1
    }
  }

  async #connect(doors: BindingDoors, port: number, long: boolean): Promise<void> {
    const socket = await connectThrough(doors, '127.0.0.1', port)
    try {
      const rounds = long ? 50 : 1
      for (let round = 0; round < rounds; round += 1)
        assert.equal(await roundTrip(socket, `ping ${round}`), `ping ${round}`)
    } finally {
      socket.destroy()
    }
  }

  async #fetch(doors: BindingDoors, port: number): Promise<void> {
    const answer = Promise.withResolvers<string>()
    const outgoing = request({
      socketPath: doors.fetchSocket,
      path: `http://127.0.0.1:${port}/`,
      setHost: false,
      method: 'POST',
    })
    outgoing.on('response', (incoming) => void text(incoming).then(answer.resolve, answer.reject))
    outgoing.on('error', answer.reject)
    outgoing.end('hello')
    assert.equal(await answer.promise, 'hello')
  }
}

test('two replicas are restarted one after the other under load, and no flow notices', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await tunnelSite(t)
  const { server: tcp, port } = await echoService()
  await using _tcp = tcp
  const http = createServer((incoming, outgoing) => void incoming.pipe(outgoing)).listen(0, '127.0.0.1')
  await using _http = http
  await new Promise((resolve) => http.once('listening', resolve))
  const replicas = [await on.replica(), await on.replica()]
  const load = new Load(on.doors, port, (http.address() as AddressInfo).port)
  await load.more(200)
  for (let round = 0; round < 2; round += 1) {
    for (const [at, old] of replicas.entries()) {
      await old.close(30_000)
      await load.more(100)
      replicas[at] = await on.replica()
      await load.more(100)
    }
  }
  await load.stop()
  assert.deepEqual(load.failures, [])
  assert.ok(load.flows > 1_000)
  assert.deepEqual(on.log.at('error'), [])
  for (const replica of replicas) await replica.close(0)
  http.closeAllConnections()
})
