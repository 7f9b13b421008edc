import { SqlApiTokenStore } from './api-tokens.ts'
import type { ApiTokenStore } from './api-tokens.ts'
import { SqlClientStore } from './clients.ts'
import type { ClientStore } from './clients.ts'
import { migrate } from './engine.ts'
import type { Engine } from './engine.ts'
import { SecretBox } from './secret-box.ts'
import { SqlServiceStore } from './services.ts'
import type { ServiceStore } from './services.ts'
import { openSettings } from './settings.ts'
import { openSqlite } from './sqlite.ts'
import { guardStorage } from './storage-error.ts'
import { SqlTunnelStore } from './tunnels.ts'
import type { TunnelStore } from './tunnels.ts'

/** What exists: the one place that edges, the control API and the command line agree on. */
export interface Directory extends AsyncDisposable {
  /** 32 hexadecimal digits, made when the directory was. */
  readonly accountId: string
  readonly tunnels: TunnelStore
  readonly apiTokens: ApiTokenStore
  readonly services: ServiceStore
  readonly clients: ClientStore
  /** Waits for queries under way, then releases the database. Safe to call twice; after it, every query is refused. */
  close(): Promise<void>
}

export interface DirectoryOptions {
  /** Path of a SQLite file, created if it is missing, or `:memory:`. Several processes may open the same one. */
  readonly file: string
  /** 32 bytes; encrypts the secrets at rest. Taken over: what becomes of the buffer later does not matter. */
  readonly key: Uint8Array
}

/**
 * Opens a directory, or makes one.
 *
 * @throws {HawserError} `storage_failed` for a file that cannot be opened, is damaged, was encrypted with another key, or
 * was written by a newer version; `options_invalid` for a key that is not 32 bytes
 */
export async function openDirectory(options: DirectoryOptions): Promise<Directory> {
  const box = new SecretBox(options.key)
  return directoryOn(await openSqlite(options.file), box, options.file)
}

/**
 * A directory on any engine. Takes ownership of the engine, and closes it if the directory cannot be opened.
 *
 * @param name what the engine's database is called, for messages
 */
export async function directoryOn(engine: Engine, box: SecretBox, name: string): Promise<Directory> {
  try {
    return await guardStorage(`open ${name}`, async () => {
      await migrate(engine.db)
      const { accountId } = await openSettings(engine.db, box)
      return new OpenDirectory(engine, box, accountId)
    })
  } catch (error) {
    await engine.close()
    throw error
  }
}

class OpenDirectory implements Directory {
  readonly accountId: string
  readonly tunnels: TunnelStore
  readonly apiTokens: ApiTokenStore
  readonly services: ServiceStore
  readonly clients: ClientStore
  readonly #engine: Engine
  #closing: Promise<void> | undefined

  constructor(engine: Engine, box: SecretBox, accountId: string) {
    this.accountId = accountId
    this.tunnels = new SqlTunnelStore(engine, box)
    this.apiTokens = new SqlApiTokenStore(engine)
    this.services = new SqlServiceStore(engine)
    this.clients = new SqlClientStore(engine, box)
    this.#engine = engine
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#engine.close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
