import type { Directory } from '@hawser/directory'
import type { FlowServices } from '../flow/context.ts'
import type { EdgeOptions } from '../options.ts'
import { ClientListener } from './client-listener.ts'
import type { ClientCertificate } from './client-listener.ts'

/**
 * Opens the listener for clients, if there is to be one.
 *
 * @throws {HawserError} `listen_failed`, `config_invalid` for a TLS rule that cannot be used
 */
export async function listenForClients(
  { clients: listen, clientsTls: tls, logger }: EdgeOptions,
  certificate: ClientCertificate,
  directory: Directory,
  services: FlowServices,
): Promise<ClientListener | undefined> {
  if (listen === undefined) return undefined
  return ClientListener.open({ listen, certificate, directory, services, tls, logger })
}
