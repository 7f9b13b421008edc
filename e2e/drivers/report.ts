/** One line of the table. */
export interface Row {
  readonly driver: string
  /** Of the npm package; null for what is none. */
  readonly version: string | null
  readonly server: string
  /** `ok`, or why not. */
  readonly plain: string
  /** The same; null where the protocol, or the driver, has no TLS. */
  readonly tls: string | null
}

const HEAD = ['driver', 'version', 'server', 'plain', 'tls'] as const

/** What does not fit into a column is told below the table. */
const COLUMN = 30

function short(text: string): string {
  return text.length > COLUMN ? `${text.slice(0, COLUMN - 1)}…` : text
}

/** For people. */
export function textReport(rows: readonly Row[]): string {
  const cells = rows.map(({ driver, version, server, plain, tls }) => [
    driver,
    version ?? '-',
    server,
    plain,
    tls ?? '-',
  ])
  const lines = [[...HEAD], ...cells.map((row) => row.map(short))]
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const table = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const notes = rows.flatMap(({ driver, plain, tls }) =>
    [
      [`${driver} plain`, plain],
      [`${driver} tls`, tls ?? ''],
    ]
      .filter(([, text = '']) => text.length > COLUMN)
      .map(([name, text]) => `${name}: ${text}`),
  )
  const works = rows.filter(({ plain }) => plain === 'ok').length
  const encrypted = rows.filter(({ tls }) => tls === 'ok').length
  const sum = `${works} of ${rows.length} drivers work, ${encrypted} of them with TLS`
  return `${[...table, '', ...notes, sum].join('\n')}\n`
}
