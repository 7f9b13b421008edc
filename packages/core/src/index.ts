export { LOG_LEVELS, MAX_SETTINGS_BYTES, parseConnectorSettings } from './connector-settings.ts'
export type { ConnectorSettings, LogLevel, Probe } from './connector-settings.ts'
export { ERRORS, HawserError, isErrorCode } from './errors.ts'
export type { ErrorClass, ErrorCode } from './errors.ts'
export { dialError, systemCode } from './system-errors.ts'
export { formatHostPort, parseHostPort } from './address.ts'
export type { HostPort } from './address.ts'
export {
  ERROR_HEADER,
  FLOWS_HOST,
  formatAuthority,
  MAX_AUTHORITY_LENGTH,
  parseAuthority,
  RESERVED_SUFFIX,
} from './authority.ts'
export type { Authority, AuthorityOperation } from './authority.ts'
export type {
  BindingDoors,
  BindingHost,
  BindingIdentity,
  BindingNetwork,
  BindingResolver,
  BindingWay,
  VpcService,
} from './binding.ts'
export { ChannelDialed, resetDialed } from './dialer.ts'
export type { Dialed, Dialer, DialTarget } from './dialer.ts'
export { FLOW_STEPS } from './flow.ts'
export type {
  FlowHttp,
  FlowKind,
  FlowOutcome,
  FlowRecord,
  FlowRoute,
  FlowStep,
  FlowTarget,
  FlowTls,
  FlowVerdict,
} from './flow.ts'
export { countRead, tuneHeapForBuffers } from './heap.ts'
export { giveMemoryBackWhenQuiet } from './quiet-memory.ts'
export { Histogram } from './histogram.ts'
export { silentLogger } from './logger.ts'
export type { LogFields, Logger } from './logger.ts'
export { connectAddress, connectDirectly, raceConnect } from './race-connect.ts'
export type { ConnectAddress, Connected, RaceLimits } from './race-connect.ts'
export { Secret } from './secret.ts'
export { ChannelDuplex } from './channel-duplex.ts'
export { splice } from './splice.ts'
export { DirectSocket } from './direct-socket.ts'
export { Stop } from './stop.ts'
export type { StopSignal } from './stop.ts'
export { channelOf, endWhenSent, resetStream } from './duplex-channel.ts'
export type { Channel, ChannelSink } from './channel.ts'
export type { TlsRule, TlsVerification } from './tls-rule.ts'
export type { SpliceBytes } from './splice.ts'
