import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HawserError, systemCode } from '@hawser/core'

/** What a running edge tells the commands of its own machine. Holds no secret. */
export interface EdgeFile {
  readonly pid: number
  /** `host:port` that connectors connect to. */
  readonly tunnel: string
  /** Base URL of the control API, without a slash at the end. */
  readonly api: string
  readonly accountId: string
  /** URL of the Worker, where one runs. */
  readonly http?: string | undefined
}

const NAME = 'edge.json'

/**
 * Writes `DIR/edge.json`, whole or not at all.
 *
 * @throws {HawserError} `storage_failed`, such as on a disk that is full
 */
export async function writeEdgeFile(dataDir: string, edge: EdgeFile): Promise<void> {
  const file = join(dataDir, NAME)
  try {
    await writeFile(`${file}.new`, `${JSON.stringify(edge, undefined, 2)}\n`, { mode: 0o644 })
    await rename(`${file}.new`, file)
  } catch (error) {
    throw new HawserError('storage_failed', `${file}: ${systemCode(error) ?? String(error)}`, { cause: error })
  }
}

/** Takes it away again, so that commands can tell that no edge is running. */
export async function removeEdgeFile(dataDir: string): Promise<void> {
  await rm(join(dataDir, NAME), { force: true })
}

function isEdgeFile(value: unknown): value is EdgeFile {
  if (typeof value !== 'object' || value === null) return false
  return 'api' in value && typeof value.api === 'string' && 'accountId' in value && typeof value.accountId === 'string'
}

/**
 * Where the edge of a data directory listens.
 *
 * @throws {HawserError} `edge_unreachable` where none runs, `config_invalid` where the file is damaged
 */
export async function readEdgeFile(dataDir: string): Promise<EdgeFile> {
  const file = join(dataDir, NAME)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const reason = systemCode(error) === 'ENOENT' ? 'there is no edge.json' : String(error)
    throw new HawserError('edge_unreachable', `no edge is running on ${dataDir}: ${reason}`, { cause: error })
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isEdgeFile(value)) return value
  } catch {
    // said below
  }
  throw new HawserError('config_invalid', `${file}: not what an edge writes; start the edge again`)
}
