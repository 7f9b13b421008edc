import { mkdir, writeFile, chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { TestAuthority } from '@hawser/testkit'
import type { Target } from './fixtures/serve.ts'
import { MARKER } from './fixtures/values.ts'
import type { DriverEntry } from './matrix.ts'
import { Unavailable } from './support/commands.ts'
import { killTree, temporaryFolder } from './support/server.ts'
import type { Server, ServerTls } from './support/server.ts'
import { startWire } from './support/wire.ts'
import type { Wire } from './support/wire.ts'
import type { WorkerSite } from './support/worker-host.ts'

const CHECKS = ['big', 'empty', 'many', 'error'] as const
const CHECK_MS = 60_000
const GONE_MS = 15_000
const IDLE_MS = 10_000

export type Mode = 'plain' | 'tls'

/** What went wrong, check by check; nothing for a driver that works. */
export interface ModeResult {
  readonly failures: readonly string[]
  /** A server that is not to be had: nothing was run. */
  readonly unavailable: string | undefined
}

interface Answer {
  readonly ok: boolean
  readonly detail: string
}

async function writeTls(folder: string, authority: TestAuthority): Promise<ServerTls> {
  const { certPem, keyPem } = await authority.issue({ names: ['localhost', '127.0.0.1'] })
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  await writeFile(files.ca, authority.caPem)
  await writeFile(files.cert, certPem)
  // Servers give up root before they read it; it is worth nothing outside this run.
  await writeFile(files.key, keyPem, { mode: 0o644 })
  return files
}

function post(site: WorkerSite, check: string, target: Target, limitMs: number): Promise<Response> {
  return fetch(`${site.url}/${check}`, {
    method: 'POST',
    // Anything compressed is held back until there is enough of it.
    headers: { 'accept-encoding': 'identity' },
    body: JSON.stringify(target),
    signal: AbortSignal.timeout(limitMs),
  })
}

function message(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'no answer in time'
  return error instanceof Error ? error.message : String(error)
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  if (!response.ok) throw new Error(`the Worker answered ${response.status}: ${text.slice(0, 500)}`)
  return JSON.parse(text) as Answer
}

/** Undefined, or what went wrong. */
async function runCheck(site: WorkerSite, check: string, target: Target, wire: Wire): Promise<string | undefined> {
  try {
    const { ok, detail } = await answerOf(await post(site, check, target, CHECK_MS))
    if (!ok) return `${check}: ${detail}`
    await wire.idle(AbortSignal.timeout(IDLE_MS))
    return undefined
  } catch (error) {
    return `${check}: ${message(error)}`
  }
}

/** Kills the server while the driver waits for its answer. */
async function runGone(site: WorkerSite, target: Target, server: Server): Promise<string | undefined> {
  let said = false
  try {
    const response = await post(site, 'gone', target, CHECK_MS)
    if (!response.ok || response.body === null) return `gone: the Worker answered ${response.status}`
    const input = Readable.fromWeb(response.body, { signal: AbortSignal.timeout(GONE_MS) })
    const lines = createInterface({ input })[Symbol.asyncIterator]()
    input.on('error', () => {})
    const first = await lines.next()
    if (first.done === true) return 'gone: no answer in time'
    if (!first.value.includes('waiting')) return `gone: ${(JSON.parse(first.value) as Answer).detail}`
    await killTree(server.program)
    said = true
    const last = await lines.next()
    if (last.done === true) return 'gone: the driver saw nothing of it in time'
    const { ok, detail } = JSON.parse(last.value) as Answer
    return ok ? undefined : `gone: ${detail}`
  } catch (error) {
    return `gone: ${said ? 'after the server was killed' : 'before'}: ${message(error)}`
  }
}

function wireFailure({ seen }: Wire, mode: Mode, { hidden = false }: DriverEntry): string | undefined {
  if (mode === 'tls' && seen) return 'wire: what the driver sent was readable'
  // Without this the other would prove nothing.
  if (mode === 'plain' && !seen && !hidden) return 'wire: what the driver sent was not seen'
  return undefined
}

async function runChecks(
  entry: DriverEntry,
  mode: Mode,
  site: WorkerSite,
  server: Server,
  wire: Wire,
): Promise<string[]> {
  const { host = 'localhost' } = entry
  const { user = '', password = '', extra = {} } = server
  const target: Target = { host, port: wire.port, tls: mode === 'tls', user, password, marker: MARKER, extra }
  const failures: (string | undefined)[] = []
  for (const check of CHECKS) failures.push(await runCheck(site, check, target, wire))
  failures.push(wireFailure(wire, mode, entry))
  failures.push(await runGone(site, target, server))
  return failures.filter((failure) => failure !== undefined)
}

/** One driver against a server of its own, in one mode. */
export async function runMode(
  entry: DriverEntry,
  mode: Mode,
  site: WorkerSite,
  authority: TestAuthority,
): Promise<ModeResult> {
  const { server: kind } = entry
  if (typeof kind === 'string') return { failures: [], unavailable: kind }
  await using own = new AsyncDisposableStack()
  try {
    const folder = await temporaryFolder(own, entry.name)
    await chmod(folder, 0o755)
    const pems = join(folder, 'tls')
    const work = join(folder, 'server')
    await mkdir(pems)
    await mkdir(work)
    const tls = mode === 'tls' ? await writeTls(pems, authority) : undefined
    const wire = own.use(await startWire(MARKER))
    const server = await kind.start({ folder: work, tls, publicPort: wire.port }, own)
    wire.leadTo(server.port)
    return { failures: await runChecks(entry, mode, site, server, wire), unavailable: undefined }
  } catch (error) {
    if (error instanceof Unavailable) return { failures: [], unavailable: error.message }
    return { failures: [`start: ${message(error)}`], unavailable: undefined }
  }
}
