import { startConnector } from '@hawser/connector'
import { HawserError } from '@hawser/core'
import type { Logger } from '@hawser/core'
import { startPrivateServices } from './private-services.ts'
import type { PrivateSideOrder, PrivateSideReady } from './side.ts'

/** The connector of the demo may dial its own machine and nothing else. */
const ALLOWED = ['127.0.0.0/8', '::1/128']

function nextOrder(): Promise<PrivateSideOrder> {
  return new Promise((resolve, reject) => {
    process.once('message', (message) => resolve(message as PrivateSideOrder))
    process.once('disconnect', () => reject(new HawserError('connection_aborted', 'the demo ended before it began')))
  })
}

/**
 * The machine inside the private network, as a process of its own: two services and a connector, which has the token
 * and nothing else. Ends with `signal`, which the end of the parent aborts too.
 */
export async function runPrivateSide(logger: Logger, signal: AbortSignal): Promise<void> {
  process.channel?.ref() // for as long as the parent may still send something, there is work to wait for
  const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  const order = await nextOrder()
  await using services = await startPrivateServices(order)
  await using connector = await startConnector({ token: order.token, allow: ALLOWED, logger })
  await connector.ready
  const ready: PrivateSideReady = { database: services.databasePort, inventory: services.inventoryPort }
  process.send?.(ready)
  await ended
  await connector.close(0)
}
