import { servePage } from './page.ts'
import type { DemoStack } from './stack.ts'

/** One thing the demo promises, tried. */
export interface CheckResult {
  readonly name: string
  readonly ok: boolean
  /** What was seen. */
  readonly detail: string
}

type Attempt = (stack: DemoStack) => Promise<string>

function expect(condition: boolean, seen: string): string {
  if (!condition) throw new Error(`unexpected: ${seen}`)
  return seen
}

async function text(stack: DemoStack, path: string): Promise<string> {
  const response = await stack.worker.fetch(path)
  const body = await response.text()
  return expect(response.status === 200, `${response.status} ${body}`.slice(0, 300)) && body
}

async function refusal(stack: DemoStack, call: string): Promise<string> {
  const refused = JSON.parse(await text(stack, '/refused')) as { call: string; answer: string }[]
  return refused.find((entry) => entry.call.startsWith(call))?.answer ?? 'no such call'
}

/** Every promise of the demo, as a sentence, and how it is tried. */
const CHECKS: Readonly<Record<string, Attempt>> = {
  'the Worker reads rows from PostgreSQL with the pg driver': async (stack) => {
    const body = await text(stack, '/ships')
    return expect(body.includes('Cutty Sark') && body.includes('Vasa'), body)
  },
  'the Worker calls the private HTTP API through its binding': async (stack) => {
    const body = await text(stack, '/stores')
    return expect(body.includes('fender'), body)
  },
  'twenty Workers at once each get their rows': async (stack) => {
    const bodies = await Promise.all(Array.from({ length: 20 }, () => text(stack, '/ships')))
    return expect(new Set(bodies).size === 1, `${bodies.length} equal answers`)
  },
  'the private address is refused outside the binding': async (stack) => {
    const answer = await refusal(stack, 'fetch("http://localhost')
    return expect(answer.startsWith('403') && answer.includes('destination_ip_prohibited'), answer)
  },
  'the metadata address is refused': async (stack) => {
    const answer = await refusal(stack, 'fetch("http://169.254')
    return expect(answer.startsWith('403') && answer.includes('destination_ip_prohibited'), answer)
  },
  "an address outside the connector's allow list is refused": async (stack) => {
    const answer = await refusal(stack, 'env.PRIVATE.fetch(')
    return expect(answer.includes('ProxyError: destination_ip_prohibited'), answer)
  },
  'a refused connection is a typed error': async (stack) => {
    const answer = await refusal(stack, 'env.PRIVATE.connect(')
    return expect(answer.includes('ProxyError: connection_refused'), answer)
  },
  'the edge recorded the route of each call': async (stack) => {
    const viaTunnel = stack
      .flows()
      .filter((flow) => flow.route?.via === 'tunnel' && flow.route.remoteAddress !== undefined)
    const refused = stack.flows().filter((flow) => flow.verdict?.allowed === false)
    return expect(
      viaTunnel.length > 0 && refused.length > 0,
      `${viaTunnel.length} through the tunnel, ${refused.length} refused by policy`,
    )
  },
  'the page shows the rows and the routes': async (stack) => {
    await using page = await servePage(stack, 0)
    const html = await (await fetch(page.url)).text()
    return expect(html.includes('Cutty Sark') && html.includes('tunnel → connector'), `${html.length} bytes of HTML`)
  },
}

/** One line of at most 120 characters. */
function shorten(seen: string): string {
  const line = seen.replaceAll(/\s+/g, ' ')
  return line.length > 120 ? `${line.slice(0, 119)}…` : line
}

/** Tries every promise in order; a failed one does not stop the rest. */
export async function* runChecks(stack: DemoStack): AsyncGenerator<CheckResult> {
  for (const [name, attempt] of Object.entries(CHECKS)) {
    try {
      yield { name, ok: true, detail: shorten(await attempt(stack)) }
    } catch (error) {
      yield { name, ok: false, detail: error instanceof Error ? error.message : String(error) }
    }
  }
}
