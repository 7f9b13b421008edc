import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import type { FlowRecord } from '@hawser/core'
import { readStatus, TEST_LIMITS, TestSite } from '../test-site.ts'
import { authority, issue, serveTls } from '../tls/test-peer.ts'
import type { Identity } from '../tls/test-peer.ts'

/* A STARTTLS server, and a Worker that upgrades its connection to it, for tests. */
export const ADDRESS = 'mail.internal:25'
export const ID = 'abcdefghijkl1'
export const SECRET = 'AUTH PLAIN s3cret'

export interface Script {
  readonly identity?: Identity
  /** In answer to STARTTLS. */
  readonly reply?: string
  /** Instead of a handshake. */
  readonly instead?: (socket: Socket) => void
}

/** An edge, a server that goes over to TLS on `STARTTLS`, and all that passed between them. */
export class StartTlsSite implements AsyncDisposable {
  readonly site: TestSite
  /** What the edge sent. */
  sent = Buffer.alloc(0)
  /** What the target sent. */
  received = Buffer.alloc(0)
  /** Connections of the edge that the target has seen end, by the kind of their end. */
  readonly ended = Promise.withResolvers<string>()
  target: Socket | undefined

  private constructor(site: TestSite) {
    this.site = site
  }

  static async open(
    { identity, reply = 'GO\n', instead }: Script = {},
    upgradeTimeoutMs = 5_000,
  ): Promise<StartTlsSite> {
    const tls = [{ host: 'mail.internal', caPem: (await authority()).caPem }]
    const limits = { ...TEST_LIMITS, upgradeTimeoutMs }
    const site = new StartTlsSite(await TestSite.open({ identity: { tls }, services: { limits } }))
    const shown = identity ?? (await issue({ names: ['mail.internal'] }))
    await site.#serve((socket) => {
      socket.once('data', (command: Buffer) => {
        assert.equal(command.toString(), 'STARTTLS\n')
        socket.write(reply)
        if (instead !== undefined) {
          instead(socket)
          socket.on('end', () => socket.end()).resume()
          return
        }
        const server = serveTls(socket, shown)
        server.on('data', (chunk: Buffer) => server.write(`got ${chunk.toString()}`))
        server.on('end', () => server.end())
      })
    })
    return site
  }

  /** The server itself stands behind a tap on the wire. */
  async #serve(onConnection: (socket: Socket) => void): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, onConnection)
    const port = await this.site.attach('behind the tap:1', server)
    await this.site.serve(ADDRESS, (near) => {
      this.target = near
      const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      far.on('error', () => near.resetAndDestroy())
      near.on('error', () => far.destroy())
      near.on('data', (chunk: Buffer) => (this.sent = Buffer.concat([this.sent, chunk])))
      far.on('data', (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk])))
      near.on('close', () => {
        far.destroy()
        this.ended.resolve(near.errored === null ? 'closed' : 'reset')
      })
      far.on('close', () => near.destroySoon())
      near.pipe(far)
      far.pipe(near)
    })
  }

  /** A connection in clear, up to the reply to STARTTLS, of which so much is read. */
  async agree(read = 3): Promise<Socket> {
    const { status, socket } = await this.site.connect(ADDRESS, ID, 'u')
    assert.equal(status, 200)
    socket.write('STARTTLS\n')
    let reply = ''
    while (reply.length < read) {
      const chunk: Buffer | null = socket.read(read - reply.length) ?? socket.read()
      if (chunk === null) await once(socket, 'readable')
      else reply += chunk.toString()
    }
    return socket
  }

  /** The CONNECT that is to carry on. */
  async successor(name = ADDRESS, id = ID): Promise<Socket> {
    const socket = await this.site.knock('tcp')
    socket.write(`CONNECT ${this.site.authority(name, id, 't')} HTTP/1.1\r\n\r\n`)
    return socket
  }

  async mark(id = ID): Promise<number> {
    return (await this.site.fetch('POST', `http://flows.hawser/${id}/upgrade`)).status
  }

  async outcome(id = ID): Promise<Record<string, string>> {
    return JSON.parse((await this.site.fetch('GET', `http://flows.hawser/${id}`)).body.toString())
  }

  /** All five steps as the runtime module takes them. */
  async upgrade(name = ADDRESS): Promise<{ readonly status: number; readonly socket: Socket }> {
    const old = await this.agree()
    const socket = await this.successor(name)
    assert.equal(await this.mark(), 204)
    assert.equal(await text(old), '')
    old.end()
    return { status: await readStatus(socket), socket }
  }

  async flow(): Promise<FlowRecord> {
    const [flow] = await this.site.flowsEnded(1)
    assert.ok(flow)
    return flow
  }

  /** No byte of the client's that came after the agreement may be read by who listens on the wire. */
  assertSecret(): void {
    const clear = this.sent.toString('latin1')
    assert.ok(clear.startsWith('STARTTLS\n'))
    const after = this.sent.subarray('STARTTLS\n'.length)
    if (after.length > 0) assert.equal(after[0], 22, 'what follows is a TLS handshake record')
    assert.ok(!clear.includes('s3cret'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]()
  }
}
