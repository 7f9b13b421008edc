import type { SeededProgram } from '../src/support/seeded-options.ts'

export const HELP = `npm run fuzz [-- options]: throws inputs at the parsers of addresses, authorities and CONNECT heads.

  --minutes N   how long, from 0.01 to 1440; 1 unless given
  --seed S      a whole number; the same one gives the same inputs. A new one unless given
  --json        one JSON object on stdout

Ends with 1 if there is a finding, with the smallest input that shows it.
`

export const PROGRAM: SeededProgram = { help: HELP, defaultMinutes: '1', minMinutes: 0.01 }
