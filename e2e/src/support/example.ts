import { join } from 'node:path'
import { DevSite } from './dev-site.ts'
import type { StandIns } from './dev-site.ts'
import { REPOSITORY } from './process.ts'

/** A project of `examples/` under `hawser dev`, with what the test has in place of its servers. */
export function openExample(name: string, standIns: StandIns): Promise<DevSite> {
  return DevSite.open(join(REPOSITORY, 'examples', name), standIns)
}

/** The network of one binding, its hosts on ports of this machine. */
export function network(
  binding: string,
  hosts: Readonly<Record<string, number>>,
  egress = false,
): Record<string, unknown> {
  const standIns = Object.entries(hosts).map(([host, port]) => [host, `127.0.0.1:${port}`])
  return { ...(egress ? { egress: binding } : {}), networks: { [binding]: { hosts: Object.fromEntries(standIns) } } }
}
