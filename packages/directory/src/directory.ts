import { SqlApiTokenStore } from './api-tokens.ts'
import type { ApiTokenStore } from './api-tokens.ts'
import { SqlClientStore } from './clients.ts'
import type { ClientStore } from './clients.ts'
import { migrate } from './engine.ts'
import type { Engine } from './engine.ts'
import { SecretBox } from './secret-box.ts'
import { SqlHostnameRouteStore } from './hostname-routes.ts'
import type { HostnameRouteStore } from './hostname-routes.ts'
import { SqlRouteStore } from './routes.ts'
import type { RouteStore } from './routes.ts'
import { RoutingChanges } from './routing-changes.ts'
import type { RoutingFeed } from './routing-changes.ts'
import { loadRouting } from './load-routing.ts'
import type { RoutingSnapshot } from './routing-snapshot.ts'
import { SqlServiceStore } from './services.ts'
import type { ServiceStore } from './services.ts'
import { openSettings } from './settings.ts'
import { openSqlite } from './sqlite.ts'
import { guardStorage } from './storage-error.ts'
import { SqlTunnelActivityStore } from './tunnel-activity.ts'
import type { TunnelActivityStore } from './tunnel-activity.ts'
import { SqlTunnelConfigurationStore } from './tunnel-configurations.ts'
import type { TunnelConfigurationStore } from './tunnel-configurations.ts'
import { SqlTunnelStore } from './tunnels.ts'
import type { TunnelStore } from './tunnels.ts'
import { SqlVirtualNetworkStore } from './virtual-networks.ts'
import type { VirtualNetworkStore } from './virtual-networks.ts'

/** What exists: the one place that edges, the control API and the command line agree on. */
export interface Directory extends AsyncDisposable {
  /** 32 hexadecimal digits, made when the directory was. */
  readonly accountId: string
  readonly tunnels: TunnelStore
  readonly tunnelConfigurations: TunnelConfigurationStore
  readonly tunnelActivity: TunnelActivityStore
  readonly apiTokens: ApiTokenStore
  readonly services: ServiceStore
  readonly clients: ClientStore
  readonly routes: RouteStore
  readonly hostnameRoutes: HostnameRouteStore
  readonly virtualNetworks: VirtualNetworkStore
  /** Tells when a new {@link Directory.loadRouting} would say something else. */
  readonly routing: RoutingFeed
  /**
   * Everything that decides the way of a call, as it is now, compiled for look-ups from memory.
   *
   * @throws {HawserError} `storage_failed`
   */
  loadRouting(): Promise<RoutingSnapshot>
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
  readonly tunnelConfigurations: TunnelConfigurationStore
  readonly tunnelActivity: TunnelActivityStore
  readonly apiTokens: ApiTokenStore
  readonly services: ServiceStore
  readonly clients: ClientStore
  readonly routes: RouteStore
  readonly hostnameRoutes: HostnameRouteStore
  readonly virtualNetworks: VirtualNetworkStore
  readonly routing: RoutingFeed
  readonly #engine: Engine
  #closing: Promise<void> | undefined

  constructor(engine: Engine, box: SecretBox, accountId: string) {
    this.accountId = accountId
    const changes = new RoutingChanges(engine)
    this.tunnels = new SqlTunnelStore(engine, box, changes)
    this.tunnelConfigurations = new SqlTunnelConfigurationStore(engine)
    this.tunnelActivity = new SqlTunnelActivityStore(engine)
    this.apiTokens = new SqlApiTokenStore(engine)
    this.services = new SqlServiceStore(engine, changes)
    this.clients = new SqlClientStore(engine, box)
    this.routes = new SqlRouteStore(engine, changes)
    this.hostnameRoutes = new SqlHostnameRouteStore(engine, changes)
    this.virtualNetworks = new SqlVirtualNetworkStore(engine, changes)
    this.routing = changes
    this.#engine = engine
  }

  loadRouting(): Promise<RoutingSnapshot> {
    return guardStorage('load the routes', async () => {
      const version = await this.routing.version() // before the rest: what changes meanwhile is then seen as a change
      return loadRouting(this.#engine.db, version)
    })
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#engine.close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
