/** The process of the Node host: serves orders over HTTP as the Worker does. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { connect } from '@hawser/sockets'
import type { Connect } from '../support/socket.ts'
import type { Surroundings, UnhandledWatch } from '../support/trial.ts'
import { carryOut } from '../worker/handler.ts'
import type { Order } from '../worker/handler.ts'

const [, , harnessUrl = ''] = process.argv

// Some behaviours leave rejections unhandled on purpose, and Node would end the process for one.
process.on('unhandledRejection', () => {})

function watchUnhandled(): UnhandledWatch {
  const messages: string[] = []
  const listener = (reason: unknown): void => void messages.push(String(reason))
  process.on('unhandledRejection', listener)
  return { messages, stop: () => void process.off('unhandledRejection', listener) }
}

/** A module may connect while it is evaluated here; the attempt is made all the same. */
function tryInModuleScope(): unknown {
  try {
    connect('127.0.0.1:1').closed.catch(() => {})
  } catch (error) {
    return error
  }
  return undefined
}

const surroundings: Surroundings = {
  connect: connect as Connect,
  bindingConnect: undefined,
  async ask(path, body) {
    const response = await fetch(`${harnessUrl}${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`the harness answered ${response.status} to ${path}: ${await response.text()}`)
    return response.json()
  },
  moduleScopeError: tryInModuleScope(),
  watchUnhandled,
  // A process goes on by itself.
  waitUntil: (promise) => void promise.catch(() => {}),
}

const server = createServer((request, response) => {
  void (async () => {
    const outcome = await carryOut((await json(request)) as Order, surroundings)
    response.end(JSON.stringify(outcome))
  })()
})
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
// Ends with the run, however that ends.
process.on('disconnect', () => process.exit())
