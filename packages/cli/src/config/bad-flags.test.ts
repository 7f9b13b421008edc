/** Command lines typed wrongly: `init`, `check` and `dev` first, and what they share with the others. */
import { testBadInput } from './test-bad-input.ts'
import type { BadRow } from './test-bad-input.ts'

const EDGE = 'edge --data-dir $/edge'
const DURATION = 'expected a duration such as 500ms, 30s, 5m or 1h'

const rows: readonly BadRow[] = [
  // init
  { line: 'init -c', says: ["option '-c, --config <file>' argument missing"] },
  { line: 'init -c $ --yse', says: ["unknown option '--yse'", 'Did you mean --yes?'] },
  { line: 'init -c $ --froce --yes', says: ["unknown option '--froce'", 'Did you mean --force?'] },
  { line: 'init $', says: ['too many arguments', 'Expected 0 arguments but got 1'] },
  { line: 'init --config=', says: ['--config: expected a value, got ""'] },
  { line: 'init -c $', says: ['stdin is not a terminal', '--yes'] },
  { line: 'init -c $ --yes', files: { 'hawser.jsonc': '{}' }, says: ['./hawser.jsonc is there already', '--force'] },
  { line: 'inti', says: ["unknown command 'inti'", 'Did you mean init?'] },
  // check
  { line: 'check -c $ extra', says: ['too many arguments', 'Expected 0 arguments but got 1'] },
  { line: 'check -c $ --jsno', says: ["unknown option '--jsno'", 'Did you mean --json?'] },
  { line: 'check -c $ --env', says: ["option '-e, --env <name>' argument missing"] },
  { line: 'check -c $ -e nope', says: ['./wrangler.json', 'No environment found', '"nope"', '["bare"]'] },
  { line: 'check -c $ --env=', says: ['--env: expected a value, got ""'] },
  {
    line: 'check -c $ --log-level loud',
    says: ['--log-level: expected one of debug, info, warn, error', 'got "loud"'],
  },
  { line: 'check -c $ --log-format xml', says: ['--log-format: expected one of text, json', 'got "xml"'] },
  { line: 'chekc', says: ["unknown command 'chekc'", 'Did you mean check?'] },
  // dev
  { line: 'dev -c $ --port 65536', says: ['--port: expected a whole number of 0 to 65535, got "65536"'] },
  { line: 'dev -c $ --port -1', says: ['--port'] },
  { line: 'dev -c $ --port http', says: ['--port: expected a whole number of 0 to 65535, got "http"'] },
  { line: 'dev -c $ --port 1.5', says: ['--port: expected a whole number of 0 to 65535, got "1.5"'] },
  { line: 'dev -c $ --port', says: ['--port', 'argument missing'] },
  { line: 'dev -c $ --inspect=yes', says: ['--inspect: expected a whole number of 0 to 65535, got "yes"'] },
  { line: 'dev -c $ --relaxed=everything', says: ['--relaxed: expected ', 'connections', 'got "everything"'] },
  { line: 'dev -c $ --relaxed', says: ['--relaxed', 'argument missing'] },
  { line: 'dev -c $ --jsno', says: ["unknown option '--jsno'", 'Did you mean --json?'] },
  { line: 'dev $', says: ['too many arguments'] },
  // edge, connector, tunnel
  { line: `${EDGE} --tunnel h:65536`, says: ['--tunnel: expected host or host:port', '0 to 65535', 'got "h:65536"'] },
  { line: `${EDGE} --http 8787:1:2`, says: ['--http: expected host or host:port', 'got "8787:1:2"'] },
  { line: `${EDGE} --grace-period soon`, says: [`--grace-period: ${DURATION}`, 'got "soon"'] },
  { line: `${EDGE} --env staging`, says: ['--env', '--worker'] },
  { line: 'connector run --token=', says: ['--token: expected a value'] },
  { line: 'connector run --token hunter2', says: ['not a tunnel token'] },
  { line: 'connector run --token hunter2 --allow 10.0.0.0/40', says: ['--allow', '"10.0.0.0/40"'] },
  { line: 'tunnel list --api ftp://h', says: ['--api: expected an http or https URL', 'got "ftp://h"'] },
]

testBadInput(rows)
