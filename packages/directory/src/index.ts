export { API_TOKEN_PREFIX } from './api-tokens.ts'
export type { ApiToken, ApiTokenStore } from './api-tokens.ts'
export type { Client, ClientStore, NewClient } from './clients.ts'
export { openDirectory } from './directory.ts'
export type { Directory, DirectoryOptions } from './directory.ts'

export type {
  HostnameRoute,
  HostnameRouteChanges,
  HostnameRouteFilter,
  HostnameRouteStore,
  NewHostnameRoute,
} from './hostname-routes.ts'
export type { NewRoute, Route, RouteChanges, RouteFilter, RouteStore } from './routes.ts'
export type { RoutingFeed } from './routing-changes.ts'
export { ACCOUNT_NETWORK, RoutingBuilder } from './routing-snapshot.ts'
export type { FoundRoute, NetworkRoutes, RoutingSnapshot } from './routing-snapshot.ts'
export type { AppProtocol, NewService, Service, ServiceStore, ServiceType } from './services.ts'
export type { Slice, Sliced } from './slice.ts'
export type { NewTunnel, Tunnel, TunnelChanges, TunnelFilter, TunnelStore } from './tunnels.ts'
export type {
  NewVirtualNetwork,
  VirtualNetwork,
  VirtualNetworkChanges,
  VirtualNetworkFilter,
  VirtualNetworkStore,
} from './virtual-networks.ts'
export type { TunnelActivity, TunnelActivityStore } from './tunnel-activity.ts'
export type { TunnelConfiguration, TunnelConfigurationStore } from './tunnel-configurations.ts'
