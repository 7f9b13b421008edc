import { mkdir } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { addNamespace, deleteNamespace, inside, ip, tc } from './ip.ts'

const run = promisify(execFile)

/** In the edge's network. */
export const EDGE_ADDRESS = '10.77.0.1'
const LOAD_ADDRESS = '10.77.0.2'
/** In the private network, which only the connectors reach. */
export const TARGET_ADDRESS = '10.78.0.1'
/** What connectors may dial. */
export const PRIVATE_NETWORK = '10.78.0.0/16'

const NARROW = 'root tbf rate 2mbit burst 32k latency 400ms'

/**
 * A network namespace for each part, joined by veth pairs:
 *
 *     load ─── edge ═══ connector 1 ─── target
 *                 ╘════ connector 2 ──────┘
 *
 * Between edge and connector there are two ways: a plain one, and one through a wire in user space that can lose, delay and
 * reorder. Addresses are on the loopback interfaces, so that connections live on when their way changes.
 */
export class Topology implements AsyncDisposable {
  readonly edge: string
  readonly load: string
  readonly target: string
  readonly wire: string
  readonly connectors: readonly string[]
  /** How often each connector's machine has changed its address. */
  readonly #moves: number[]
  readonly #devices: string[] = []

  private constructor(prefix: string, replicas: number) {
    this.edge = `${prefix}-edge`
    this.load = `${prefix}-load`
    this.target = `${prefix}-target`
    this.wire = `${prefix}-wire`
    this.connectors = Array.from({ length: replicas }, (_, index) => `${prefix}-c${index}`)
    this.#moves = this.connectors.map(() => 0)
  }

  /** @param prefix of the namespaces' names; `folder` for the wire's device files */
  static async open(prefix: string, replicas: number, folder: string): Promise<Topology> {
    const topology = new Topology(prefix, replicas)
    try {
      await topology.#build(folder)
    } catch (error) {
      await topology[Symbol.asyncDispose]()
      throw error
    }
    return topology
  }

  /** Device files of the wire, two for each connector: its end, and the edge's. */
  get devices(): readonly string[] {
    return this.#devices
  }

  /** By which the target knows a connector. */
  privateAddress(index: number): string {
    return `10.78.${index + 1}.2`
  }

  async #build(folder: string): Promise<void> {
    const { edge, load, target, wire } = this
    for (const name of this.#names()) await addNamespace(name)
    await cable(load, 'edge', edge, 'load')
    await ip(load, `addr add ${LOAD_ADDRESS}/32 dev lo`, route(EDGE_ADDRESS, 'edge', LOAD_ADDRESS))
    await ip(edge, `addr add ${EDGE_ADDRESS}/32 dev lo`, route(LOAD_ADDRESS, 'load', EDGE_ADDRESS))
    await ip(target, `addr add ${TARGET_ADDRESS}/32 dev lo`)
    await mkdir(folder, { recursive: true })
    for (const [index, connector] of this.connectors.entries()) {
      await cable(connector, 'wan', edge, `c${index}`)
      await cable(connector, 'lan', target, `c${index}`)
      await cable(connector, 'slow', wire, `c${index}`)
      await cable(edge, `c${index}slow`, wire, `e${index}`)
      // One frame at a time: a lost one is then a lost packet, not a burst.
      await ip(connector, 'link set slow gso_max_segs 1')
      await ip(edge, `link set c${index}slow gso_max_segs 1`)
      this.#devices.push(await tap(wire, `c${index}`, folder), await tap(wire, `e${index}`, folder))
      await ip(
        connector,
        `addr add ${this.#addressOf(index)}/32 dev lo`,
        `addr add ${this.privateAddress(index)}/32 dev lo`,
      )
      await ip(connector, route(TARGET_ADDRESS, 'lan', this.privateAddress(index)))
      await ip(target, route(this.privateAddress(index), `c${index}`, TARGET_ADDRESS))
      await this.setWay(index, 'plain')
    }
  }

  /** Sends the traffic between edge and connector over one of its two ways. */
  async setWay(index: number, way: 'plain' | 'wire'): Promise<void> {
    const [here, there] = way === 'plain' ? ['wan', `c${index}`] : ['slow', `c${index}slow`]
    await ip(this.#connector(index), route(EDGE_ADDRESS, here, this.#addressOf(index)))
    await ip(this.edge, route(`10.77.${index + 1}.0/24`, there, EDGE_ADDRESS))
  }

  /** Pulls the plug, or puts it back: neither end can send, and both kernels know. */
  async setLink(index: number, state: 'up' | 'down'): Promise<void> {
    await ip(this.#connector(index), `link set wan ${state}`)
    if (state === 'up') await this.setWay(index, 'plain') // the routes went with the link
  }

  /** Clamps the plain way to 2 Mbit/s each way, or takes the clamp off. */
  async setNarrow(index: number, narrow: boolean): Promise<void> {
    const [verb, rest] = narrow ? ['replace', NARROW] : ['del', 'root']
    await tc(this.#connector(index), `qdisc ${verb} dev wan ${rest}`)
    await tc(this.edge, `qdisc ${verb} dev c${index} ${rest}`)
  }

  /**
   * Gives the connector's machine another address, as a new lease or a restarted router does: every connection of the old one is
   * half-open from then on, at both ends, and neither end is told.
   */
  async move(index: number): Promise<void> {
    const before = this.#addressOf(index)
    this.#moves[index] = ((this.#moves[index] ?? 0) + 1) % 200
    await ip(this.#connector(index), `addr add ${this.#addressOf(index)}/32 dev lo`)
    await this.setWay(index, 'plain')
    await ip(this.#connector(index), `addr del ${before}/32 dev lo`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#names()) await deleteNamespace(name).catch(() => {})
  }

  #names(): readonly string[] {
    return [this.edge, this.load, this.target, this.wire, ...this.connectors]
  }

  #connector(index: number): string {
    return this.connectors[index] ?? ''
  }

  #addressOf(index: number): string {
    return `10.77.${index + 1}.${2 + (this.#moves[index] ?? 0)}`
  }
}

function route(to: string, device: string, source: string): string {
  return `route replace ${to} dev ${device} src ${source}`
}

/** A cable between two namespaces, both ends up. */
async function cable(one: string, oneEnd: string, other: string, otherEnd: string): Promise<void> {
  await run('ip', `link add ${oneEnd} netns ${one} type veth peer name ${otherEnd} netns ${other}`.split(' '))
  await ip(one, `link set ${oneEnd} up`)
  await ip(other, `link set ${otherEnd} up`)
}

/** A character device on which the frames of one end of a cable can be read and written. */
async function tap(namespace: string, end: string, folder: string): Promise<string> {
  const name = `${end}t`
  await ip(namespace, `link add link ${end} name ${name} type macvtap mode passthru`, `link set ${name} up`)
  // The namespace has a /sys of its own, and its devices are not in this machine's /dev.
  const numbers = await inside(namespace, 'sh', '-c', `cat /sys/class/net/${name}/tap*/dev`)
  const path = join(folder, name)
  const [major = '', minor = ''] = numbers.trim().split(':')
  await run('mknod', [path, 'c', major, minor])
  return path
}
