import { basename, dirname, join, resolve } from 'node:path'
import type { BindingHost, Logger } from '@hawser/core'
import type { BuildFailure } from 'esbuild'
import { WorkerBundler } from '../bundle/bundle.ts'
import type { WorkerBundle } from '../bundle/bundle.ts'
import { runCustomBuild } from '../bundle/custom-build.ts'
import { readWorkerConfig } from '../config.ts'
import type { WorkerConfig } from '../config.ts'
import { HAWSER_FILE_NAME } from '../hawser-config.ts'
import { compatibilityDate } from '../miniflare/workerd.ts'
import { openDoors } from '../open-doors.ts'
import type { OpenDoors } from '../open-doors.ts'
import type { Watched } from './source-watcher.ts'

/** Where a Worker is described, and what this run changes about it. */
export interface ProjectSource {
  readonly configPath: string
  readonly environment?: string | undefined
  readonly vars?: Readonly<Record<string, string>> | undefined
  /** In place of what the configuration says; 0 for none. */
  readonly connectionLimit?: number | undefined
  readonly logger: Logger
}

/** Names beside the wrangler file that are read with it, once they are there. */
const BESIDE = /^(?:\.dev\.vars|\.env)(?:\.|$)/
const UNRESOLVED = /^Could not resolve "(\.[^"]*)"/

/** A Worker's files as they were read once: a change to a configuration file makes another one of these. */
export class Project implements AsyncDisposable {
  readonly config: WorkerConfig
  readonly compatibilityDate: string
  readonly #logger: Logger
  readonly #owned = new AsyncDisposableStack()
  readonly #bundler: WorkerBundler
  #doors: Promise<OpenDoors> | undefined
  #built = false

  private constructor(config: WorkerConfig, logger: Logger) {
    this.config = config
    this.#logger = logger
    this.compatibilityDate = compatibilityDate(config.wrangler.compatibility_date, logger)
    this.#bundler = this.#owned.use(new WorkerBundler(config, this.compatibilityDate, logger))
  }

  /** @throws {HawserError} `config_invalid` */
  static async read(source: ProjectSource): Promise<Project> {
    const config = await readWorkerConfig(source)
    const { connectionLimit = config.connectionLimit } = source
    return new Project({ ...config, connectionLimit }, source.logger)
  }

  /**
   * @param changed what has changed since the last time
   * @throws {HawserError} `bundle_failed`, `config_invalid`
   */
  async build(changed: readonly string[], signal: AbortSignal): Promise<WorkerBundle> {
    // The command is for what it is told to watch, and for the start.
    if (!this.#built || changed.some((file) => this.#isBuilt(file))) {
      await runCustomBuild(this.config, this.#logger, signal)
      this.#built = true
    }
    return this.#bundler.build()
  }

  /** Opened at the first call; closed with the project. */
  doors(host: BindingHost): Promise<OpenDoors> {
    return (this.#doors ??= openDoors(this.config, host).then((doors) => this.#owned.use(doors)))
  }

  isConfiguration(file: string): boolean {
    const { files, path } = this.config
    if (files.includes(file)) return true
    return dirname(file) === dirname(path) && (basename(file) === HAWSER_FILE_NAME || BESIDE.test(basename(file)))
  }

  /** Everything that this Worker is made from, given what the last build said. */
  watched(inputs: readonly string[], failure: unknown): Watched {
    const { files, main, path, wrangler } = this.config
    const folder = dirname(path)
    const { environment } = { environment: wrangler.targetEnvironment }
    const names = [HAWSER_FILE_NAME, '.dev.vars', '.env', '.env.local']
    if (environment !== undefined)
      names.push(`.dev.vars.${environment}`, `.env.${environment}`, `.env.${environment}.local`)
    const { directory } = wrangler.assets ?? {}
    return {
      files: [...files, ...names.map((name) => join(folder, name)), main, ...inputs],
      folders: failure === undefined ? [] : [dirname(main), ...placesOf(failure, folder)],
      trees: [...this.#buildFolders(), ...(directory === undefined ? [] : [resolve(folder, directory)])],
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#doors?.catch(() => {}) // what is being opened is closed too
    await this.#owned.disposeAsync()
  }

  #buildFolders(): readonly string[] {
    const { path, wrangler } = this.config
    if (wrangler.build.command === undefined) return []
    const watched = wrangler.build.watch_dir ?? './src'
    return [watched].flat().map((name) => resolve(dirname(path), name))
  }

  #isBuilt(file: string): boolean {
    return this.#buildFolders().some((folder) => file.startsWith(`${folder}/`))
  }
}

/** A build that failed does not say what it read; but where it failed, and what it did not find. */
function placesOf(failure: unknown, root: string): string[] {
  const { errors = [] } = (failure instanceof Error ? (failure.cause ?? {}) : {}) as Partial<BuildFailure>
  return errors.flatMap(({ location, text }) => {
    if (location === null) return []
    const folder = dirname(resolve(root, location.file))
    const [, wanted] = UNRESOLVED.exec(text) ?? []
    return wanted === undefined ? [folder] : [folder, dirname(resolve(folder, wanted))]
  })
}
