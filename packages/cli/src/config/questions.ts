import { HawserError } from '@hawser/core'
import { NoMatch, parseHostMatch } from '@hawser/workers'
import type { WorkerBindings } from '@hawser/workers'
import type { NetworkAnswers, ServiceAnswers } from './compose-file.ts'

/** Puts a question and resolves with the answer, without blanks around it. */
export type Ask = (question: string) => Promise<string>

/** What the questions are about, and what they resulted in. */
export interface Answers {
  readonly egress?: string | undefined
  /** What stands in for public hosts. */
  readonly publicHosts?: NetworkAnswers['hosts'] | undefined
  readonly networks: readonly NetworkAnswers[]
  readonly services: readonly ServiceAnswers[]
}

const LOOPBACK = '127.0.0.1'
/** What a service without registered ports has (V-004). */
const HTTP_PORT = 80
const HTTPS_PORT = 443
const MAX_PORT = 65_535
/** Whoever is wrong this often is not reading what is asked. */
const MAX_TRIES = 10

/** Asks until `read` is content; what it throws as {@link NoMatch} is said before the next try. */
async function askUntil<T>(ask: Ask, question: string, read: (text: string) => T): Promise<T> {
  let complaint = ''
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const text = await ask(`${complaint}${question}`)
    try {
      return read(text)
    } catch (error) {
      if (!(error instanceof NoMatch)) throw error
      complaint = `It must be ${error.message}; that was ${JSON.stringify(text)}.\n`
    }
  }
  throw new HawserError('options_invalid', `${question.trim()} had no answer that can be used, ${MAX_TRIES} times`)
}

function readStandIn(text: string): string {
  if (text === '') return LOOPBACK
  if (text.startsWith('*')) throw new NoMatch('one host')
  parseHostMatch(text)
  return text
}

function readHost(text: string): string | undefined {
  if (text === '') return undefined
  if (parseHostMatch(readStandIn(text)).port !== undefined) throw new NoMatch('a host without a port')
  return text
}

/** Empty for the default, `-` for none. */
function readPort(text: string, otherwise: number | undefined): number | undefined {
  if (text === '') return otherwise
  if (text === '-') return undefined
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > MAX_PORT) throw new NoMatch(`a port from 1 to ${MAX_PORT}, or - for none`)
  return port
}

/** @param kind of host, and `name` of what it is asked for, as the questions word them */
async function askHosts(ask: Ask, name: string, kind: string): Promise<NetworkAnswers['hosts']> {
  const hosts = new Map<string, string>()
  for (;;) {
    const match = await askUntil(
      ask,
      `${name}: a ${kind} host that the Worker calls (host or host:port; empty: done): `,
      (text) => {
        if (text !== '') parseHostMatch(text)
        return text
      },
    )
    if (match === '') return [...hosts]
    hosts.set(match, await askUntil(ask, `${name}: what stands in for ${match} [${LOOPBACK}]: `, readStandIn))
  }
}

async function askService(ask: Ask, binding: string): Promise<ServiceAnswers> {
  const port = (what: string, otherwise: number | undefined): Promise<number | undefined> =>
    askUntil(ask, `${binding}: port for ${what} (- for none) [${otherwise ?? '-'}]: `, (text) =>
      readPort(text, otherwise),
    )
  const where = 'empty: this machine, on the port that the Worker names'
  const host = await askUntil(ask, `${binding}: host of the service (${where}): `, readHost)
  if (host === undefined) return { binding }
  const httpPort = await port('http: URLs', HTTP_PORT)
  const httpsPort = await port('https: URLs', HTTPS_PORT)
  return { binding, host, httpPort, httpsPort, tcpPort: await port('connect()', undefined) }
}

function askEgress(ask: Ask, names: readonly string[]): Promise<string | undefined> {
  const question = `Which of ${names.join(', ')} do the global connect() and node:net go through? (empty: public addresses only): `
  return askUntil(ask, question, (text) => {
    if (text !== '' && !names.includes(text)) throw new NoMatch(`one of ${names.join(', ')}, or nothing`)
    return text === '' ? undefined : text
  })
}

/** What is written where nobody is asked: examples alone, by which everything is this machine. */
export function defaultAnswers({ networks, services }: WorkerBindings): Answers {
  return {
    networks: networks.map(({ binding }) => ({ binding, hosts: [] })),
    services: services.map(({ binding }) => ({ binding })),
  }
}

/**
 * Asks what stands in for each binding, one question after another.
 *
 * @throws {HawserError} `options_invalid` after too many answers that cannot be used; what `ask` rejects with
 */
export async function askForAnswers({ networks, services }: WorkerBindings, ask: Ask): Promise<Answers> {
  const answers: { networks: NetworkAnswers[]; services: ServiceAnswers[] } = { networks: [], services: [] }
  for (const { binding } of networks) answers.networks.push({ binding, hosts: await askHosts(ask, binding, 'private') })
  const names = networks.map(({ binding }) => binding)
  const egress = names.length === 0 ? undefined : await askEgress(ask, names)
  const publicHosts = await askHosts(ask, 'Without a binding', 'public')
  for (const { binding } of services) answers.services.push(await askService(ask, binding))
  return { egress, publicHosts, ...answers }
}
