import { relative } from 'node:path'
import { HawserError } from '@hawser/core'
import type { BindingHost } from '@hawser/core'
import type { WorkerBundle } from '../bundle/bundle.ts'
import type { WorkerConfig } from '../config.ts'
import type { WorkerParts } from '../miniflare/options.ts'
import { Project } from './project.ts'
import type { ProjectSource } from './project.ts'
import type { Watched } from './source-watcher.ts'

/** Where the Workers that run side by side are described. */
export interface GroupSource extends ProjectSource {
  /** Configurations of further Workers, which the first and each other reach by service bindings. @default none */
  readonly otherConfigPaths?: readonly string[] | undefined
}

function isSame(a: WorkerBundle, b: WorkerBundle | undefined): boolean {
  return (
    a.modules.length === b?.modules.length &&
    a.modules.every(({ path, contents }, at) => {
      const other = b.modules[at]
      if (path !== other?.path) return false
      if (typeof contents === 'string' || typeof other.contents === 'string') return contents === other.contents
      return Buffer.compare(contents, other.contents) === 0
    })
  )
}

/** One version of all Workers, in their order. */
export class GroupBundle {
  readonly bundles: readonly WorkerBundle[]

  constructor(bundles: readonly WorkerBundle[]) {
    this.bundles = bundles
  }

  /** Absolute paths of all that went in. */
  get inputs(): readonly string[] {
    return this.bundles.flatMap(({ inputs }) => inputs)
  }

  isSame(other: GroupBundle | undefined): boolean {
    return this.bundles.every((bundle, at) => isSame(bundle, other?.bundles[at]))
  }
}

/** The Workers that are developed together, the one that answers requests first; mostly it is alone. */
export class ProjectGroup implements AsyncDisposable {
  readonly #projects: readonly [Project, ...Project[]]

  private constructor(projects: readonly [Project, ...Project[]]) {
    this.#projects = projects
  }

  /** @throws {HawserError} `config_invalid`, for two Workers of one name too */
  static async read({ otherConfigPaths = [], ...source }: GroupSource): Promise<ProjectGroup> {
    const projects: [Project, ...Project[]] = [await Project.read(source)]
    for (const configPath of otherConfigPaths) projects.push(await Project.read({ ...source, configPath }))
    const seen = new Map<string, string>()
    for (const { config } of projects) {
      const first = seen.get(config.name)
      if (first !== undefined) {
        const names = [first, config.path].map((path) => relative('', path)).join(' and ')
        throw new HawserError('config_invalid', `"name" must differ between Workers, got "${config.name}" in ${names}`)
      }
      seen.set(config.name, config.path)
    }
    return new ProjectGroup(projects)
  }

  /** Of the Worker that answers requests. */
  get config(): WorkerConfig {
    return this.#projects[0].config
  }

  /** Of all of them, that one first. */
  get configs(): readonly WorkerConfig[] {
    return this.#projects.map(({ config }) => config)
  }

  /** The configuration files that were read. */
  get files(): readonly string[] {
    return this.configs.flatMap(({ files }) => files)
  }

  /** See {@link Project.build}. */
  async build(changed: readonly string[], signal: AbortSignal): Promise<GroupBundle> {
    return new GroupBundle(await Promise.all(this.#projects.map((project) => project.build(changed, signal))))
  }

  /** What runs of each, with its doors, which are opened at the first call and closed with the group. */
  async parts(
    { bundles }: GroupBundle,
    host: BindingHost,
  ): Promise<WorkerParts & { readonly others: readonly WorkerParts[] }> {
    const all = await Promise.all(
      this.#projects.map(async (project, at): Promise<WorkerParts | undefined> => {
        const { config, compatibilityDate } = project
        const { bindings, egress } = await project.doors(host)
        const bundle = bundles[at]
        return bundle === undefined ? undefined : { config, compatibilityDate, bundle, bindings, egress }
      }),
    )
    const [first, ...others] = all.filter((one) => one !== undefined)
    if (first === undefined) throw new TypeError('a bundle of other Workers')
    return { ...first, others }
  }

  isConfiguration(file: string): boolean {
    return this.#projects.some((project) => project.isConfiguration(file))
  }

  /** See {@link Project.watched}. */
  watched(inputs: readonly string[], failure: unknown): Watched {
    const all = this.#projects.map((project) => project.watched(inputs, failure))
    const merge = (key: keyof Watched): string[] => all.flatMap((watched) => [...(watched[key] ?? [])])
    return { files: merge('files'), folders: merge('folders'), trees: merge('trees') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#projects.map((project) => project[Symbol.asyncDispose]()))
  }
}
