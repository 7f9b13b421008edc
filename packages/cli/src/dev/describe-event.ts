import { relative } from 'node:path'
import { styleText } from 'node:util'
import type { DevEvent, FlowEvent } from './events.ts'

type Style = Parameters<typeof styleText>[0]

/** Lines of a Worker may be its own layout, so only what would move the cursor is taken out. */
function visible(text: string): string {
  // oxlint-disable-next-line no-control-regex -- that is what is looked for
  return text.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, '')
}

function describeRequest({ method, path, status, outcome, ms }: Extract<DevEvent, { event: 'request' }>): string {
  const result = [status, outcome === 'ok' ? undefined : outcome].filter((part) => part !== undefined)
  return `${method} ${visible(path)} ${result.join(' ')} ${ms} ms`
}

function describeFlow(flow: FlowEvent): string {
  const { worker, binding, kind, requested, remoteAddress, outcome, code, status, bytesSent, bytesReceived, ms } = flow
  const way = remoteAddress === undefined ? '' : ` → ${remoteAddress}`
  const result = code ?? (status === undefined ? outcome : String(status))
  const from = worker === undefined ? '' : `${worker} `
  return `  ${from}${binding}.${kind} ${visible(requested)}${way} ${result} ${bytesSent} B out, ${bytesReceived} B in, ${ms} ms`
}

/** One event for people, without colours. */
function plain(event: DevEvent): string {
  switch (event.event) {
    case 'ready': {
      const inspector = event.inspector === undefined ? '' : `\nInspector on ${event.inspector}`
      return `Ready on ${event.url}${inspector}`
    }
    case 'reload':
      return `Reloaded in ${event.ms} ms: ${event.changed.map((file) => relative('', file)).join(', ')}`
    case 'error': {
      const after = event.serving ? 'Still serving the version before.' : 'Waiting for a change.'
      const advice = event.advice === undefined ? '' : `${visible(event.advice)}\n`
      return `${visible(event.message)}\n${advice}${after}`
    }
    case 'request':
      return describeRequest(event)
    case 'flow':
      return describeFlow(event)
    case 'advice':
      return visible(event.message).replaceAll(/^/gm, '  ! ')
    case 'log': {
      const from = event.source === 'worker' ? '' : `${event.source}: `
      return `${from}${visible(event.message)}`
    }
  }
}

function styleOf(event: DevEvent): Style | undefined {
  if (event.event === 'ready') return 'green'
  if (event.event === 'error') return 'red'
  if (event.event === 'advice') return 'yellow'
  if (event.event === 'flow') return event.outcome === 'error' ? 'red' : 'gray'
  if (event.event === 'log' && event.level === 'error') return 'red'
  return event.event === 'log' && event.level === 'warn' ? 'yellow' : undefined
}

/** One event as text for a terminal: a line, or several for errors and advice. */
export function describeEvent(event: DevEvent, colour: boolean): string {
  const text = plain(event)
  const style = colour ? styleOf(event) : undefined
  return style === undefined ? text : styleText(style, text, { validateStream: false })
}
