import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { ChannelDuplex } from '@hawser/core'
import { memoryPair } from '@hawser/testkit'
import type { Pair } from '@hawser/testkit'
import { RawPeer } from './raw-peer.ts'
import { MuxSession } from './session.ts'
import type { SessionOptions } from './session.ts'
import type { MuxStream } from './stream.ts'

/** For tests: a stream of a session as a Duplex. */
export class TestStream extends ChannelDuplex {
  readonly mux: MuxStream

  constructor(mux: MuxStream) {
    super(mux)
    this.mux = mux
    this.on('error', () => {}) // tests that expect an error listen for it
  }

  get id(): number {
    return this.mux.id
  }

  get sendCredit(): number {
    return this.mux.sendCredit
  }

  get receiveCredit(): number {
    return this.mux.receiveCredit
  }

  /** Bytes received and not yet read. */
  get bufferedBytes(): number {
    return this.mux.bufferedBytes + this.readableLength
  }

  get remoteEnded(): boolean {
    return this.mux.remoteEnded
  }
}

/** For tests: a session and the streams its peer has opened on it, to be taken one by one. */
export interface TestSession {
  readonly session: MuxSession
  readonly open: (first?: Buffer) => TestStream
  /** The next stream the peer has opened. */
  readonly accept: () => Promise<TestStream>
}

type Options = Omit<SessionOptions, 'role'>

/** A session on `transport`, whatever is at its other end. */
export function startSession(transport: Duplex, role: 'client' | 'server', options: Options): TestSession {
  const accepted: TestStream[] = []
  const waiting: ((stream: TestStream) => void)[] = []
  const onStream = (mux: MuxStream): void => {
    const stream = new TestStream(mux)
    const next = waiting.shift()
    if (next === undefined) accepted.push(stream)
    else next(stream)
  }
  const session = new MuxSession(transport, { onStream, ...options, role })
  return {
    session,
    open: (first) => new TestStream(session.open(first)),
    accept: () => {
      const stream = accepted.shift()
      return stream === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(stream)
    },
  }
}

/** Two sessions joined by one connection. Disposing ends both. */
export interface SessionPair extends AsyncDisposable {
  readonly client: TestSession
  readonly server: TestSession
}

/** Joins two sessions by `pair`. */
export async function sessionPair(
  pair: () => Pair | Promise<Pair> = memoryPair,
  options: { readonly client?: Options; readonly server?: Options } = {},
): Promise<SessionPair> {
  const [one, other] = await pair()
  const client = startSession(one, 'client', options.client ?? {})
  const server = startSession(other, 'server', options.server ?? {})
  return {
    client,
    server,
    [Symbol.asyncDispose]: async () => {
      client.session.end()
      server.session.end()
      await Promise.all([client.session.closed, server.session.closed])
    },
  }
}

/** One session whose peer is a script. Disposing ends both. */
export function sessionWithRawPeer(
  role: 'client' | 'server' = 'server',
  options: Options = {},
): TestSession & AsyncDisposable & { readonly peer: RawPeer } {
  const [one, other] = memoryPair()
  const tested = startSession(one, role, options)
  const peer = new RawPeer(other)
  return {
    ...tested,
    peer,
    [Symbol.asyncDispose]: async () => {
      peer.end()
      tested.session.end()
      await tested.session.closed
    },
  }
}

/** One stream with both of its ends. */
export async function streamPair(
  client: TestSession,
  server: TestSession,
): Promise<readonly [opened: TestStream, accepted: TestStream]> {
  const opened = client.open()
  return [opened, await server.accept()]
}

/** Reads until `bytes` have come, and no further than the chunk that completes them. */
export async function readBytes(stream: TestStream, bytes: number): Promise<number> {
  let count = 0
  while (count < bytes) {
    const chunk = stream.read() as Buffer | null
    if (chunk === null) await once(stream, 'readable')
    else count += chunk.length
  }
  return count
}
