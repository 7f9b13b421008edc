/** A reader of the Prometheus text format, written from its specification and not from our writer. */

/** What a scraper makes of one metric. */
export interface ReadMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: { readonly name: string; readonly labels: Record<string, string>; readonly value: number }[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"}]|"(?:\\.|[^"\\])*")*)\})? (\S+)$/
const PAIR = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:\\.|[^"\\])*)"(?:,|$)/gy
const SUFFIXES = ['', '_bucket', '_sum', '_count']

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, letter: string) => (letter === 'n' ? '\n' : letter))
}

function readNumber(text: string): number {
  const words: Record<string, number> = { '+Inf': Infinity, '-Inf': -Infinity, NaN: Number.NaN }
  const value = words[text] ?? Number(text)
  if (Number.isNaN(value) && text !== 'NaN') throw new Error(`no number: ${text}`)
  return value
}

function readLabels(text: string): Record<string, string> {
  const pairs = [...text.matchAll(PAIR)]
  if (pairs.reduce((length, [whole]) => length + whole.length, 0) !== text.length) throw new Error(`no labels: ${text}`)
  return Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, unescape(value)]))
}

/** @throws what a scraper would refuse: a sample before its type, a name twice, a broken line */
export function parseExposition(text: string): ReadMetric[] {
  const metrics: ReadMetric[] = []
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  let help = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (comment?.[1] === 'HELP') {
      help = unescape(comment[3] ?? '')
      continue
    }
    if (comment !== null) {
      const [, , name = '', type = ''] = comment
      if (!NAME.test(name) || metrics.some((metric) => metric.name === name)) throw new Error(`name: ${name}`)
      metrics.push({ name, help, type, samples: [] })
      continue
    }
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
    const metric = metrics.at(-1)
    if (metric === undefined || !SUFFIXES.some((suffix) => name === metric.name + suffix)) throw new Error(line)
    metric.samples.push({ name, labels: readLabels(labels), value: readNumber(value) })
  }
  return metrics
}
