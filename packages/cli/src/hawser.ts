import check from './commands/check.ts'
import clientCreate from './commands/client/create.ts'
import clientDelete from './commands/client/delete.ts'
import clientList from './commands/client/list.ts'
import clientToken from './commands/client/token.ts'
import connectorDiag from './commands/connector/diag.ts'
import connectorRun from './commands/connector/run.ts'
import demo from './commands/demo.ts'
import dev from './commands/dev.ts'
import edge from './commands/edge.ts'
import init from './commands/init.ts'
import tunnelConfigure from './commands/tunnel/configure.ts'
import routeAdd from './commands/route/add.ts'
import routeDelete from './commands/route/delete.ts'
import routeExplain from './commands/route/explain.ts'
import routeList from './commands/route/list.ts'
import tunnelCreate from './commands/tunnel/create.ts'
import tunnelDelete from './commands/tunnel/delete.ts'
import tunnelDisconnect from './commands/tunnel/disconnect.ts'
import tunnelInfo from './commands/tunnel/info.ts'
import tunnelList from './commands/tunnel/list.ts'
import tunnelRotate from './commands/tunnel/rotate.ts'
import tunnelToken from './commands/tunnel/token.ts'
import vnetAdd from './commands/vnet/add.ts'
import vnetDelete from './commands/vnet/delete.ts'
import vnetList from './commands/vnet/list.ts'
import vnetUpdate from './commands/vnet/update.ts'
import type { Program } from './run-line.ts'
import { VERSION } from './version.ts'

/** The `hawser` program: every command there is, in the order in which help lists them. */
export const hawser: Program = {
  name: 'hawser',
  summary: 'Ties a Worker to a private network: connect(), VPC bindings and tunnels that anyone can run',
  version: VERSION,
  groups: {
    client: 'Manage the Node programs that may call through an edge',
    connector: 'Run the process in the private network, and find out why it does not connect',
    route: 'Manage which tunnel leads to which addresses and names',
    tunnel: 'Manage the tunnels of an edge',
    vnet: 'Manage virtual networks: route tables for sites with the same addresses',
  },
  commands: [
    dev,
    demo,
    init,
    check,
    edge,
    connectorRun,
    connectorDiag,
    tunnelCreate,
    tunnelList,
    tunnelInfo,
    tunnelToken,
    tunnelConfigure,
    tunnelRotate,
    tunnelDisconnect,
    tunnelDelete,
    routeAdd,
    routeList,
    routeExplain,
    routeDelete,
    vnetAdd,
    vnetList,
    vnetUpdate,
    vnetDelete,
    clientCreate,
    clientList,
    clientToken,
    clientDelete,
  ],
}
