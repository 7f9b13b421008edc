import type { TestContext } from 'node:test'

/** Requests under way, such as a last write: they end with their handles, or by themselves. */
const REQUEST = /(?:Write|Shutdown|Req)Wrap$/

/** Handle kinds that a test may leave behind by mistake: sockets, servers, pipes, child processes. */
const open = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => name.endsWith('Wrap') && !REQUEST.test(name))
    .toSorted()

/** How long handles get to finish closing after the test body, in looks of at least a millisecond. */
const MAX_LOOKS = 2_000
/** The real one, whatever a test makes of the clock. */
const { setTimeout: later } = globalThis

/** Fails the test if it leaves sockets, servers, pipes or processes behind. Call it first. `unref`ed handles are not seen. */
export function assertNoLeaks(t: TestContext): void {
  const before = open()
  t.after(async () => {
    for (let look = 0; look < MAX_LOOKS && open().length > before.length; look += 1) {
      await new Promise((resolve) => later(resolve, 1))
    }
    t.assert.deepEqual(open(), before)
  })
}
