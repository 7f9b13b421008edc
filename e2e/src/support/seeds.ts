/** The examples of the vendor's documents, kept as they are printed, each document a file of `fixtures/seeds`. */
import { readFileSync } from 'node:fs'
import { parse } from 'node:path'
import { createServer } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { TestCertificate } from '@hawser/testkit'
import { tcpTarget } from './targets.ts'
import type { Target } from './targets.ts'

/** The header that says which example of a document is meant: their paths are their own. */
const WHICH = 'x-example'

/** Code and configurations of a document, by file name. */
export function readSeed(document: string): ReadonlyMap<string, string> {
  const markdown = readFileSync(new URL(`../fixtures/seeds/${document}.md`, import.meta.url), 'utf8')
  const blocks = markdown.matchAll(/^```\w+ (\S+)\n([^]*?)^```$/gm)
  return new Map(Array.from(blocks, ([, name = '', code = '']): [string, string] => [name, code]))
}

/** A Worker's files with all examples of a document that are modules in it, and what the wrangler file says beside the usual. */
export function seedProject(
  seed: ReadonlyMap<string, string>,
  config: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const modules = [...seed.keys()].filter((name) => /\.[jt]s$/.test(name))
  const names = modules.map((name) => parse(name).name)
  const main = [
    ...modules.map((name, at) => `import example${at} from './${name}'`),
    `const examples = { ${names.map((name, at) => `'${name}': example${at}`).join(', ')} }`,
    'export default {',
    `  fetch: (request, env, ctx) => examples[request.headers.get('${WHICH}')].fetch(request, env, ctx),`,
    '}',
  ]
  const wrangler = { name: 'seeds', main: 'index.js', compatibility_date: '2026-06-01', ...config }
  const files = modules.map((name): [string, string] => [name, seed.get(name) ?? ''])
  return { ...Object.fromEntries(files), 'index.js': main.join('\n'), 'wrangler.json': JSON.stringify(wrangler) }
}

/** What asks for one example. */
export function example(name: string): RequestInit {
  return { headers: { [WHICH]: name } }
}

/** A server that speaks TLS from the start, half-open allowed. */
export function tlsTarget({ certPem, keyPem }: TestCertificate, serve: (socket: TLSSocket) => void): Promise<Target> {
  const server = createServer({ cert: certPem, key: keyPem, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}) // the test judges by what the Worker saw
    setImmediate(serve, socket) // a server that ends within this event sends no farewell: that is Node's doing, and a cut
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return tcpTarget((socket) => void server.emit('connection', socket))
}

/** Answers `PING` as Redis does. */
export function pingTarget(): Promise<Target> {
  return tcpTarget((socket) => {
    socket.on('data', (chunk: Buffer) => {
      socket.write(chunk.toString('latin1') === 'PING\r\n' ? '+PONG\r\n' : '-ERR unknown command\r\n')
    })
    socket.on('end', () => socket.end())
  })
}
