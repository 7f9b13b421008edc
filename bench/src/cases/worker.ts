import { defineCase, RATE_WARM_UPS } from '../case.ts'
import type { Case } from '../case.ts'
import { HTTP_CONNECTIONS, openHttpLoad } from '../load/http-load.ts'
import { LOOPBACK } from '../ports.ts'
import type { TargetOperations } from '../roles/target.ts'
import { startRole } from '../role.ts'
import { workerOnHawser, workerOnWorkerd } from './worker-side.ts'
import type { WorkerSide } from './worker-side.ts'

function workerCase(path: string, doing: string): Case {
  return defineCase<WorkerSide>({
    name: `worker-${path}`,
    summary: `requests to a Worker that each ${doing} a private service, ${HTTP_CONNECTIONS} at a time`,
    unit: 'requests/s',
    better: 'more',
    warmUps: RATE_WARM_UPS,
    ours: workerOnHawser,
    peers: [workerOnWorkerd],
    async open(scope) {
      const target = await startRole<TargetOperations>(scope, 'target')
      const vars = {
        ECHO: `${LOOPBACK}:${await target.call('listen', 'echo')}`,
        HTTP: `http://${LOOPBACK}:${await target.call('listen', 'http')}/`,
      }
      const load = await openHttpLoad(scope)
      return async (side) => {
        const url = `${await side.start(await scope.nested(), vars)}${path}`
        return () => load(url)
      }
    },
  })
}

export const worker: readonly Case[] = [
  workerCase('connect', 'connect to, exchange a message with and disconnect from'),
  workerCase('fetch', 'fetch() from'),
]
