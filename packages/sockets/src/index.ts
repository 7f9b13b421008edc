// vpcNetwork() and vpcService(), the bindings for Node programs, belong here once an edge listens for such clients.
export { connect, createConnect } from './connect.ts'
export type { Connect, ConnectSettings } from './connect.ts'
export type { SocketAddress } from './address.ts'
export type { SocketInfo } from './connection.ts'
export type { SecureTransport, SocketOptions, TlsOptions } from './options.ts'
export { Socket } from './socket.ts'
export type { Pem, TlsRule, TlsVerification } from './tls-rules.ts'
