/** The Worker that holds all behaviours, the same under workerd alone and under Hawser. */
import { connect } from 'cloudflare:sockets'
import type { Connect } from '../support/socket.ts'
import type { Surroundings, UnhandledWatch } from '../support/trial.ts'
import { carryOut } from './handler.ts'
import type { Order } from './handler.ts'

/** Set by Hawser; absent under workerd alone. */
interface VpcNetwork {
  fetch(input: string, init?: RequestInit): Promise<Response>
  readonly connect: NonNullable<Surroundings['bindingConnect']>
}

interface Env {
  readonly NET?: VpcNetwork
  /** The harness: `http://127.0.0.1:port`. */
  readonly HARNESS: string
}

interface Context {
  waitUntil(promise: Promise<unknown>): void
}

/** What connecting in the global scope, where it is not allowed, throws (S-180). */
function tryInModuleScope(): unknown {
  try {
    connect('127.0.0.1:1')
  } catch (error) {
    return error
  }
  return undefined
}

const moduleScopeError = tryInModuleScope()

/** workerd's global scope is an event target; the types of Node, which this project is checked with, do not say so. */
const scope = globalThis as typeof globalThis & EventTarget

function watchUnhandled(): UnhandledWatch {
  const messages: string[] = []
  const listener = (event: Event): void => {
    messages.push(String((event as Event & { readonly reason: unknown }).reason))
  }
  scope.addEventListener('unhandledrejection', listener)
  return { messages, stop: () => scope.removeEventListener('unhandledrejection', listener) }
}

function surroundings(env: Env, context: Context): Surroundings {
  const { NET: network } = env
  // Under Hawser the harness is in the private network like any peer: the global fetch() is for the public Internet.
  const send: VpcNetwork['fetch'] =
    network === undefined ? (input, init) => fetch(input, init) : (input, init) => network.fetch(input, init)
  return {
    connect: connect as Connect,
    bindingConnect: network === undefined ? undefined : (address, options) => network.connect(address, options),
    async ask(path, body) {
      const response = await send(`${env.HARNESS}${path}`, { method: 'POST', body: JSON.stringify(body) })
      if (!response.ok) throw new Error(`the harness answered ${response.status} to ${path}: ${await response.text()}`)
      return response.json()
    },
    moduleScopeError,
    watchUnhandled,
    waitUntil: (promise) => context.waitUntil(promise),
  }
}

// oxlint-disable-next-line import/no-default-export -- workerd takes the handlers of a Worker from it
export default {
  async fetch(request: Request, env: Env, context: Context): Promise<Response> {
    const order = (await request.json()) as Order
    return Response.json(await carryOut(order, surroundings(env, context)))
  },
}
