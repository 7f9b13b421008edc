import type { SeededProgram } from '../src/support/seeded-options.ts'

export const HELP = `npm run chaos [-- options]: breaks an edge, connectors and the network between them while 200 flows run. Needs root.

  --minutes N   how long things go wrong, from 0.5 to 1440; 2 unless given. Start and end take about a minute more
  --seed S      a whole number; the same one gives the same schedule and the same flows. A new one unless given
  --json        one JSON object on stdout

Ends with 1 if a byte is wrong, a flow ends without an outcome or with an error that has no code, something is left over, memory
does not come back, or new flows take more than 2 s once a connector can be reached.
`

export const PROGRAM: SeededProgram = { help: HELP, defaultMinutes: '2', minMinutes: 0.5 }
