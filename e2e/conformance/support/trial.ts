import { AssertionFailed, show } from './assert.ts'
import { Peer } from './peer.ts'
import type { Ask, PeerPlace } from './peer.ts'
import type { Connect, Socket } from './socket.ts'

/** Rejections that nobody handled, from `watch` until `stop`. */
export interface UnhandledWatch {
  /** The messages, oldest first. */
  readonly messages: readonly string[]
  stop(): void
}

/** What a host gives its behaviours beside `connect()`. */
export interface Surroundings {
  readonly connect: Connect
  /** `connect()` of a VPC binding, where the host has one. */
  readonly bindingConnect: ((address: unknown, options?: unknown) => Promise<Socket>) | undefined
  /** Posts JSON to the harness and gives its JSON answer. */
  readonly ask: Ask
  /** What `connect()` threw while the module was being evaluated, if it did. */
  readonly moduleScopeError: unknown
  watchUnhandled(): UnhandledWatch
  /** Keeps the invocation going until the promise has settled, after its result has been returned. */
  waitUntil(promise: Promise<unknown>): void
}

/** Round trips to the harness that a pending promise gets to prove that it is not merely slow. */
const SETTLE_ROUND_TRIPS = 4
/** And the least time; tunnel, edge and peer all answer within a small part of it. */
const SETTLE_MS = 80

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** One run of one behaviour. */
export class Trial {
  readonly peer: Peer
  readonly surroundings: Surroundings
  /** The last thing that was waited for, to say where a behaviour got stuck. */
  step = 'its first step'
  readonly #invocation: { readonly id: string; readonly place: PeerPlace }
  readonly #viaBinding: boolean

  constructor(id: string, place: PeerPlace, surroundings: Surroundings, viaBinding: boolean) {
    this.surroundings = surroundings
    this.#invocation = { id, place }
    this.#viaBinding = viaBinding
    this.peer = new Peer(place, (path, body) => {
      this.step = `${path} ${JSON.stringify(body)}`
      return surroundings.ask(path, body)
    })
  }

  /** `host:port` of the peer. */
  get address(): string {
    return this.peer.address
  }

  /** The host's global `connect()`. */
  get connect(): Connect {
    if (this.#viaBinding) throw new AssertionFailed('a behaviour for bindings may only use t.open()')
    return this.surroundings.connect
  }

  /** Connects to the peer and waits until the connection is open. */
  async open(options?: unknown, address: unknown = this.address): Promise<Socket> {
    this.step = 'opened'
    const { connect, bindingConnect } = this.surroundings
    const socket =
      this.#viaBinding && bindingConnect !== undefined
        ? await bindingConnect(address, options)
        : connect(address, options)
    await socket.opened
    this.step = 'what follows opened'
    return socket
  }

  /** Lets whatever is under way arrive: a few round trips over the same path, and a moment. */
  async settle(): Promise<void> {
    const least = delay(SETTLE_MS)
    for (let turn = 0; turn < SETTLE_ROUND_TRIPS; turn += 1) await this.peer.ping()
    await least
  }

  /** Asserts that the promise has not settled, nor does so in the time that {@link settle} takes. */
  async pending(promise: Promise<unknown>, what: string): Promise<void> {
    let state: string | undefined
    promise.then(
      (value) => (state = `resolved with ${show(value)}`),
      (error: unknown) => (state = `rejected with ${show(error)}`),
    )
    await this.settle()
    if (state !== undefined) throw new AssertionFailed(`${what}: ${state}, expected it to be pending`)
  }

  /** Runs one of the behaviour's acts as an invocation of its own: in a Worker, another request. */
  async invoke(act: string, value: unknown = null): Promise<unknown> {
    this.step = `the act ${act}`
    const outcome = (await this.surroundings.ask('/invoke', { ...this.#invocation, act, value })) as {
      readonly value?: unknown
      readonly failure?: string
    }
    if (outcome.failure !== undefined) throw new AssertionFailed(`the act ${act}: ${outcome.failure}`)
    return outcome.value
  }
}

/** Keeps the order in which promises settle. */
export class Order {
  readonly events: string[] = []

  /** Notes `name` when the promise resolves, `name!` when it rejects. The result never rejects. */
  note(name: string, promise: Promise<unknown>): Promise<void> {
    return promise.then(
      () => void this.events.push(name),
      () => void this.events.push(`${name}!`),
    )
  }
}
