import { Agent, request } from 'node:http'
import { countOver } from './connections.ts'
import type { Span } from './connections.ts'

export interface HttpLoad extends Span {
  readonly url: string
  readonly connections: number
}

/** One GET. @throws {Error} for any status but 200, with the start of the body */
function get(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`status ${response.statusCode}: ${body.slice(0, 500)}`))
      })
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end()
  })
}

/** One GET on a connection of its own. @throws {Error} for any status but 200, with the start of the body */
export async function probe(url: string): Promise<void> {
  const agent = new Agent()
  try {
    await get(url, agent)
  } finally {
    agent.destroy()
  }
}

/** Sends GETs over kept-alive connections, one at a time on each. Gives requests a second. */
export async function http(load: HttpLoad): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections })
  let done = 0
  let running = true
  const loop = async (): Promise<void> => {
    while (running) {
      await get(load.url, agent)
      done += 1
    }
  }
  const loops = Promise.all(Array.from({ length: load.connections }, loop))
  const failed = loops.then((): never => {
    throw new Error('the load ended by itself')
  })
  failed.catch(() => {})
  try {
    return await countOver(load, failed, () => done)
  } finally {
    running = false
    await loops.catch(() => {})
    agent.destroy()
  }
}
