import type { TestContext } from 'node:test'

/** Handle kinds that a test may leave behind by mistake: sockets, servers, pipes, child processes. */
const open = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => name.endsWith('Wrap'))
    .toSorted()

/** Turns of the event loop that handles get to finish closing after the test body. */
const MAX_TURNS = 500

/** Fails the test if it leaves sockets, servers, pipes or processes behind. Call it first. `unref`ed handles are not seen. */
export function assertNoLeaks(t: TestContext): void {
  const before = open()
  t.after(async () => {
    for (let turn = 0; turn < MAX_TURNS && open().length > before.length; turn += 1) {
      await new Promise(setImmediate)
    }
    t.assert.deepEqual(open(), before)
  })
}
