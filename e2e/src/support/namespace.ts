import { spawnSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { Program } from './process.ts'

/** What there is in a network besides a loopback interface with nothing but `127.0.0.1` and `::1`. */
export interface NetworkParts {
  /** Its `/etc/hosts`. @default that of this machine */
  readonly hosts?: string | undefined
  /** Further addresses of the loopback interface, such as `8.8.8.8/32`. */
  readonly addresses?: readonly string[] | undefined
}

function ip(...words: string[]): boolean {
  return spawnSync('ip', words, { stdio: 'ignore' }).status === 0
}

/** A network of the test's own, which no packet leaves or enters. Disposing takes it away. */
export class NetworkNamespace implements AsyncDisposable {
  readonly #name: string
  readonly #owned: AsyncDisposableStack

  private constructor(name: string, owned: AsyncDisposableStack) {
    this.#name = name
    this.#owned = owned
  }

  /** Undefined where this machine does not let us: it takes root and iproute2. */
  static async open({ hosts, addresses = [] }: NetworkParts = {}): Promise<NetworkNamespace | undefined> {
    const name = `hawser-${process.pid}`
    await using opening = new AsyncDisposableStack()
    if (!ip('netns', 'add', name)) return undefined
    opening.defer(() => void ip('netns', 'delete', name))
    if (hosts !== undefined) {
      const folder = `/etc/netns/${name}` // `ip netns exec` puts its files in the place of those of /etc
      opening.defer(() => rm(folder, { recursive: true, force: true }))
      await mkdir(folder, { recursive: true })
      await writeFile(`${folder}/hosts`, hosts)
    }
    ip('-n', name, 'link', 'set', 'lo', 'up')
    for (const address of addresses) ip('-n', name, 'addr', 'add', address, 'dev', 'lo')
    return new NetworkNamespace(name, opening.move())
  }

  /** Ways out of it, a line each. */
  get routes(): string {
    return spawnSync('ip', ['-n', this.#name, 'route'], { encoding: 'utf8' }).stdout
  }

  /** Starts the Node of the tests inside. */
  node(words: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
    return new Program('ip', ['netns', 'exec', this.#name, process.execPath, ...words], env)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }
}
