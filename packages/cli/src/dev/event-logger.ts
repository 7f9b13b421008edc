import type { LogFields, Logger } from '@hawser/core'
import type { DevEvent, LogEventLevel } from './events.ts'

type Emit = (event: DevEvent) => void

/** `: <message>` for an error among the fields. */
function reason({ error }: LogFields): string {
  return error instanceof Error ? `: ${error.message}` : ''
}

/**
 * Turns log lines into events: all that the Worker writes, and of everyone else warnings and errors. The rest is for
 * whoever looks for a fault, on the debug level of `below`.
 */
export function eventLogger(emit: Emit, below: Logger, context: LogFields = {}): Logger {
  const isWorker = typeof context['worker'] === 'string' && context['source'] === undefined
  const source = isWorker ? 'worker' : typeof context['source'] === 'string' ? context['source'] : 'hawser'
  const write = (level: LogEventLevel, message: string, fields: LogFields = {}): void => {
    if (isWorker || level === 'warn' || level === 'error') {
      emit({ event: 'log', level, source, message: `${message}${reason(fields)}` })
    } else {
      below.debug(message, fields)
    }
  }
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    child: (fields) => eventLogger(emit, below.child(fields), { ...context, ...fields }),
  }
}
