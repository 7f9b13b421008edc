import { connectTunnel } from '@hawser/tunnel'
import { systemClock } from './clock.ts'
import { RunningConnector } from './connector.ts'
import type { Connector } from './connector.ts'
import { resolveConnectorOptions } from './options.ts'
import type { ConnectorOptions } from './options.ts'

/**
 * Starts a connector and returns at once; `ready` tells when its first tunnel stands. It keeps trying to reach its edges
 * until it is closed: after a failure it waits from nothing up to 250 ms, doubling to 2 s, at random within that, and goes on
 * to another edge if it knows one.
 *
 * A token that every edge rejects, and none ever accepted, ends it: `closed` resolves with `tunnel_auth_failed`. A token
 * rejected later (revoked, tunnel deleted) and a certificate that does not match the token are logged once at error and
 * retried every 5 to 10 s.
 *
 * @throws {HawserError} `options_invalid`, `address_invalid` or `token_invalid`, naming the option; nothing else
 */
export async function startConnector(options: ConnectorOptions): Promise<Connector> {
  const config = resolveConnectorOptions(options)
  const connector = new RunningConnector(config, options.logger, { connectTunnel, clock: systemClock })
  connector.start()
  return connector
}
