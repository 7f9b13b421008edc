import { randomBytes } from 'node:crypto'
import { mkdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { HawserError, systemCode } from '@hawser/core'
import type { Logger } from '@hawser/core'
import {
  createAuthority,
  DAY_MS,
  expiryOf,
  formatKeyPair,
  isIssuedBy,
  issueCertificate,
  parseKeyPair,
} from './certificates.ts'
import type { KeyPair } from './certificates.ts'
import { acquireLock } from './lock-file.ts'
import type { LockFile } from './lock-file.ts'
import { checkPrivate, existsPrivate, readPrivate, storageError, writePrivate } from './private-file.ts'

/** A certificate is replaced when less than this is left of it. */
const RENEW_BEFORE_MS = 30 * DAY_MS
/** The authority cannot be replaced without new tokens, so it is spoken of early. */
const CA_WARNING_MS = 365 * DAY_MS
const DIRECTORY_KEY_BYTES = 32

/** Names of the files in a data directory. */
export const DATA_FILES = {
  /** Written last on the first start: where it exists, all the others do. */
  edgeId: 'edge.id',
  /** Certificate and key of the authority. */
  authority: 'ca.pem',
  /** Certificate and key of the edge; replaced before it expires. */
  certificate: 'edge.pem',
  directoryKey: 'directory.key',
  directory: 'directory.sqlite',
  lock: 'edge.lock',
} as const

export interface DataDirOptions {
  readonly path: string
  /** The name in the edge's certificate. */
  readonly serverName: string
  readonly logger: Logger
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: (() => number) | undefined
}

/**
 * Opens the data directory of an edge, or makes one on the first start, and locks it.
 *
 * @throws {HawserError} `storage_failed`, with the path and what to do: loose permissions, another edge at work in it, files
 * missing or damaged
 */
export async function openDataDir(options: DataDirOptions): Promise<DataDir> {
  const path = resolve(options.path)
  await makeDirectory(path)
  const lock = await acquireLock(join(path, DATA_FILES.lock))
  try {
    const now = options.now ?? Date.now
    const edgeId = await readPrivate(join(path, DATA_FILES.edgeId))
    if (edgeId === undefined) await populate(path, options, now())
    return await readDirectory(path, options, now, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    if (!(await stat(path)).isDirectory()) throw storageError(path, 'is not a directory')
    await checkPrivate(path, '700')
  } catch (error) {
    if (HawserError.is(error)) throw error
    const code = systemCode(error)
    throw storageError(
      path,
      code === 'EEXIST' ? 'is not a directory' : `cannot be used (${code ?? 'unknown error'})`,
      error,
    )
  }
}

async function populate(path: string, { serverName, logger }: DataDirOptions, now: number): Promise<void> {
  const directory = join(path, DATA_FILES.directory)
  // Its secrets are sealed with a key that a new one would replace.
  if (await existsPrivate(directory))
    throw storageError(join(path, DATA_FILES.edgeId), `is missing although ${directory} is not; restore it`)
  const edgeId = randomBytes(8).toString('hex')
  const authority = await createAuthority(edgeId, now)
  const certificate = await issueCertificate(authority, serverName, now)
  await writePrivate(join(path, DATA_FILES.authority), formatKeyPair(authority))
  await writePrivate(join(path, DATA_FILES.certificate), formatKeyPair(certificate))
  await writePrivate(join(path, DATA_FILES.directoryKey), randomBytes(DIRECTORY_KEY_BYTES))
  await writePrivate(join(path, DATA_FILES.edgeId), edgeId)
  logger.info('made a new data directory', { path, edge: edgeId })
}

async function readDirectory(
  path: string,
  options: DataDirOptions,
  now: () => number,
  lock: LockFile,
): Promise<DataDir> {
  const read = async (name: string): Promise<Buffer> => {
    const contents = await readPrivate(join(path, name))
    if (contents === undefined) throw storageError(join(path, name), 'is missing; restore it from a backup')
    return contents
  }
  const damaged = (name: string): HawserError => storageError(join(path, name), 'is damaged; restore it from a backup')
  const edgeId = (await read(DATA_FILES.edgeId)).toString('latin1').trim()
  if (!/^[0-9a-f]{16}$/.test(edgeId)) throw damaged(DATA_FILES.edgeId)
  const directoryKey = await read(DATA_FILES.directoryKey)
  if (directoryKey.length !== DIRECTORY_KEY_BYTES) throw damaged(DATA_FILES.directoryKey)
  const authority = parseKeyPair((await read(DATA_FILES.authority)).toString('latin1'))
  if (authority === undefined) throw damaged(DATA_FILES.authority)
  const left = expiryOf(authority) - now()
  if (left < CA_WARNING_MS) {
    options.logger.warn(
      'the authority of this edge expires; connectors will then need new tokens from a new data directory',
      {
        days: Math.floor(left / DAY_MS),
      },
    )
  }
  // Made here, so that the database is private from its first byte; SQLite's own default is not.
  const directory = join(path, DATA_FILES.directory)
  if (!(await existsPrivate(directory))) await writePrivate(directory, '')
  const dataDir = new DataDir(path, edgeId, directoryKey, authority, options, now, lock)
  await dataDir.renewIfDue()
  return dataDir
}

/** The data directory of a running edge. */
export class DataDir {
  readonly edgeId: string
  readonly directoryKey: Buffer
  readonly directoryFile: string
  /** PEM of the authority's certificate: what tokens pin. */
  readonly caPem: string
  readonly #path: string
  readonly #authority: KeyPair
  readonly #options: DataDirOptions
  readonly #now: () => number
  readonly #lock: LockFile
  #certificate: KeyPair | undefined

  constructor(
    path: string,
    edgeId: string,
    directoryKey: Buffer,
    authority: KeyPair,
    options: DataDirOptions,
    now: () => number,
    lock: LockFile,
  ) {
    this.edgeId = edgeId
    this.directoryKey = directoryKey
    this.directoryFile = join(path, DATA_FILES.directory)
    this.caPem = authority.certPem
    this.#path = path
    this.#authority = authority
    this.#options = options
    this.#now = now
    this.#lock = lock
  }

  /** What the edge shows to connectors. */
  get certificate(): KeyPair {
    if (this.#certificate === undefined) throw storageError(this.#path, 'has no certificate yet')
    return this.#certificate
  }

  /**
   * Replaces the edge's certificate where it is missing, damaged, not of this authority, or about to expire.
   *
   * @returns whether there is a new one
   * @throws {HawserError} `storage_failed`
   */
  async renewIfDue(): Promise<boolean> {
    const path = join(this.#path, DATA_FILES.certificate)
    const now = this.#now()
    this.#certificate ??= parseKeyPair((await readPrivate(path))?.toString('latin1') ?? '')
    const current = this.#certificate
    if (current !== undefined && isIssuedBy(current, this.#authority) && expiryOf(current) - now > RENEW_BEFORE_MS)
      return false
    const renewed = await issueCertificate(this.#authority, this.#options.serverName, now)
    await writePrivate(path, formatKeyPair(renewed))
    this.#certificate = renewed
    this.#options.logger.info('renewed the certificate of this edge', {
      expires: new Date(expiryOf(renewed)).toISOString(),
    })
    return true
  }

  /** Gives the directory free for another edge. */
  close(): Promise<void> {
    return this.#lock.release()
  }
}
