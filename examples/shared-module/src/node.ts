/** On Node: `node src/node.ts people.internal:79 ann`. */
import { connect } from '@hawser/sockets'
import { finger } from './finger.ts'

const [address = '127.0.0.1:79', user = ''] = process.argv.slice(2)
process.stdout.write(await finger(connect, address, user))
