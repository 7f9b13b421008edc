import { gophernicus } from './servers/gophernicus.ts'
import { mariadb } from './servers/mariadb.ts'
import { memcached } from './servers/memcached.ts'
import { mosquitto } from './servers/mosquitto.ts'
import { nats } from './servers/nats.ts'
import { ngircd } from './servers/ngircd.ts'
import { openssh } from './servers/openssh.ts'
import { postgres } from './servers/postgres.ts'
import { rabbitmq } from './servers/rabbitmq.ts'
import { redis } from './servers/redis.ts'
import { smtpServer } from './servers/smtp-server.ts'
import { vsftpd } from './servers/vsftpd.ts'
import type { ServerKind } from './support/server.ts'

/** One row of the matrix. */
export interface DriverEntry {
  /** The npm package, and with it the file in `fixtures`. */
  readonly name: string
  /** None where there is no way to have one: then the reason. */
  readonly server: ServerKind | string
  /** False where the protocol, or the driver, has no TLS. */
  readonly tls: boolean
  /** How the driver is to name the server. @default 'localhost', which the connector resolves */
  readonly host?: string
  /** What the Worker's wrangler configuration has to say besides. */
  readonly wrangler?: Readonly<Record<string, unknown>>
  /** The protocol hides what it carries by itself, so that there is nothing to be seen on a plain wire. */
  readonly hidden?: boolean
}

/** In the order of the table. */
export const MATRIX: readonly DriverEntry[] = [
  { name: 'pg', server: postgres, tls: true },
  {
    name: 'postgres',
    server: postgres,
    tls: true,
  },
  { name: 'mysql2', server: mariadb, tls: true },
  { name: 'mariadb', server: mariadb, tls: true },
  { name: 'ioredis', server: redis, tls: true },
  { name: 'redis', server: redis, tls: true },
  // A stand-in for `process` among its dependencies shares one queue between all requests, and is stuck after the first.
  { name: 'mqtt', server: mosquitto, tls: true, wrangler: { alias: { 'process/': 'node:process' } } },
  // It resolves names itself, with node:dns, which in a Worker knows public names alone.
  { name: 'nodemailer', host: '127.0.0.1', server: smtpServer, tls: true },
  // It looks for a Windows program beside itself when it is loaded; a bundle has no place.
  { name: 'ssh2', server: openssh, tls: false, hidden: true, wrangler: { define: { __dirname: '"/"' } } },
  { name: 'basic-ftp', server: vsftpd, tls: true },
  { name: 'amqplib', server: rabbitmq, tls: true },
  { name: 'nats', server: nats, tls: true },
  { name: 'memcached', server: memcached, tls: false },
  { name: 'memjs', server: memcached, tls: false },
  { name: 'irc-framework', server: ngircd, tls: true },
  { name: 'gopher', server: gophernicus, tls: false },
  { name: 'mongodb', server: 'neither Debian nor npm has a MongoDB server', tls: true },
  { name: 'kafkajs', server: 'neither Debian nor npm has a Kafka broker', tls: true },
]
