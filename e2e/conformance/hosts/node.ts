import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { post } from './host.ts'
import type { Host, HostOptions } from './host.ts'

interface Running {
  readonly child: ChildProcess
  readonly url: string
}

async function start({ harnessUrl, caFile }: HostOptions): Promise<Running> {
  const child = fork(new URL('node-child.ts', import.meta.url), [harnessUrl], {
    // How a Node program is told of a CA without a word in its code, and without an option of `connect()`.
    env: { ...process.env, NODE_EXTRA_CA_CERTS: caFile },
    // The package as it is in this workspace, not as it was last built; and behaviours look at some rejections later than
    // Node would like.
    execArgv: ['--conditions=hawser-source', '--disable-warning=PromiseRejectionHandledWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(message as string))
    child.once('exit', (code) =>
      reject(new Error(`the Node host ended with ${code ?? 'a signal'} before it was ready`)),
    )
  })
  return { child, url }
}

async function stop({ child }: Running): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** `@hawser/sockets` in a plain Node process of its own, so that what it leaves uncaught fails a behaviour and not the run. */
export async function startNode(options: HostOptions): Promise<Host> {
  let running = await start(options)
  return {
    name: 'node',
    hasBinding: false,
    async carryOut(order) {
      if (running.child.exitCode !== null) running = await start(options)
      return post(running.url, order)
    },
    [Symbol.asyncDispose]: () => stop(running),
  }
}
