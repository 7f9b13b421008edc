import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { hawser, REPOSITORY } from './process.ts'
import type { Program } from './process.ts'

/** One line of `hawser dev --json`. */
export interface DevLine {
  readonly event: string
  readonly [field: string]: unknown
}

/** What a test has in place of the hosts that a project names. */
export interface StandIns {
  /** What `hawser.jsonc` is to say; unless given, what the project's own says. */
  readonly hawser?: Readonly<Record<string, unknown>> | undefined
  /** Files beside it, by name, such as certificates. */
  readonly files?: Readonly<Record<string, string>> | undefined
}

/** A folder, or the texts of its files by path. */
export type ProjectFiles = string | Readonly<Record<string, string>>

/** What tools have put into a project, or what only they read. */
const OF_TOOLS: ReadonlySet<string> = new Set(['node_modules', '.wrangler', 'tsconfig.json'])

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
}

/** A folder of the test's own; removed with `owner`. */
async function temporaryFolder(owner: AsyncDisposableStack, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), name))
  owner.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** A project under `hawser dev`, from a copy that other tests know nothing of. */
export class DevSite implements AsyncDisposable {
  /** Where the Worker answers; empty until it does. */
  url = ''
  /** Of the copy. */
  readonly folder: string
  readonly #program: Program
  readonly #owned: AsyncDisposableStack

  private constructor(folder: string, program: Program, owned: AsyncDisposableStack) {
    this.folder = folder
    this.#program = program
    this.#owned = owned
  }

  /** Starts it, and does not wait for the Worker to answer: it may not be able to. */
  static async start(project: ProjectFiles, standIns: StandIns = {}): Promise<DevSite> {
    await using opening = new AsyncDisposableStack()
    const folder = await temporaryFolder(opening, 'hawser-project-')
    if (typeof project !== 'string') await writeFiles(folder, project)
    else await cp(project, folder, { recursive: true, filter: (path) => !OF_TOOLS.has(basename(path)) })
    await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules')) // what its own `npm install` would bring
    await writeFiles(folder, standIns.files ?? {})
    if (standIns.hawser !== undefined) await writeFiles(folder, { 'hawser.jsonc': JSON.stringify(standIns.hawser) })
    const env = { TMPDIR: await temporaryFolder(opening, 'hawser-dev-') }
    const program = opening.use(hawser(['dev', '--json', '--port', '0', '-c', folder], env))
    return new DevSite(folder, program, opening.move())
  }

  /** Starts it, and resolves once the Worker answers. */
  static async open(project: ProjectFiles, standIns: StandIns = {}): Promise<DevSite> {
    await using opening = new AsyncDisposableStack()
    const site = opening.use(await DevSite.start(project, standIns))
    const ready = await site.saw(/"event":"ready"/)
    site.url = String(ready['url'])
    opening.move()
    return site
  }

  /** No connection is kept: one would outlive the test. */
  fetch(path = '/', init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('connection', 'close')
    return fetch(new URL(path, this.url), { ...init, headers })
  }

  /** The first event, past or future, whose line matches. */
  async saw(pattern: RegExp): Promise<DevLine> {
    const { input } = await this.#program.line(pattern)
    return JSON.parse(input) as DevLine
  }

  /** Waits for a line that is no event. */
  async says(pattern: RegExp): Promise<void> {
    await this.#program.line(pattern)
  }

  /** The exit code, or the signal it died of. */
  get ended(): Promise<number | NodeJS.Signals> {
    return this.#program.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }
}
