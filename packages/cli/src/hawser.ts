import check from './commands/check.ts'
import clientCreate from './commands/client/create.ts'
import clientDelete from './commands/client/delete.ts'
import clientList from './commands/client/list.ts'
import clientToken from './commands/client/token.ts'
import connectorRun from './commands/connector/run.ts'
import demo from './commands/demo.ts'
import dev from './commands/dev.ts'
import edge from './commands/edge.ts'
import init from './commands/init.ts'
import tunnelCreate from './commands/tunnel/create.ts'
import tunnelDelete from './commands/tunnel/delete.ts'
import tunnelInfo from './commands/tunnel/info.ts'
import tunnelList from './commands/tunnel/list.ts'
import tunnelToken from './commands/tunnel/token.ts'
import type { Program } from './run-line.ts'
import { VERSION } from './version.ts'

/** The `hawser` program: every command there is, in the order in which help lists them. */
export const hawser: Program = {
  name: 'hawser',
  summary: 'Ties a Worker to a private network: connect(), VPC bindings and tunnels that anyone can run',
  version: VERSION,
  groups: {
    client: 'Manage the Node programs that may call through an edge',
    connector: 'Run the process in the private network',
    tunnel: 'Manage the tunnels of an edge',
  },
  commands: [
    dev,
    demo,
    init,
    check,
    edge,
    connectorRun,
    tunnelCreate,
    tunnelList,
    tunnelInfo,
    tunnelToken,
    tunnelDelete,
    clientCreate,
    clientList,
    clientToken,
    clientDelete,
  ],
}
