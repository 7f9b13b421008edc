import assert from 'node:assert/strict'
import test from 'node:test'
import { formatTable, outputTo, printable } from './output.ts'

test('columns are as wide as their widest cell, without trailing blanks', () => {
  const table = formatTable(
    ['NAME', 'ID', 'STATUS'],
    [
      ['a', '12345', ''],
      ['longer-name', '1', 'healthy'],
    ],
  )
  assert.deepEqual(table, ['NAME         ID     STATUS', 'a            12345', 'longer-name  1      healthy'])
})

test('a table without rows is its heading', () => {
  assert.deepEqual(formatTable(['NAME', 'ID'], []), ['NAME  ID'])
})

test('lines and JSON end with a newline', () => {
  let written = ''
  const out = outputTo({ write: (text) => (written += text) })
  out.line('x')
  out.line()
  out.json({ a: [1] })
  assert.equal(written, 'x\n\n{\n  "a": [\n    1\n  ]\n}\n')
})

test('text from elsewhere cannot steer a terminal', () => {
  assert.equal(printable('a\u001b[2Jb\r\nc\u009bd\u007f'), 'a\\x1b[2Jb\\x0d\\x0ac\\x9bd\\x7f')
  assert.deepEqual(formatTable(['N'], [['x\ny']]), ['N', 'x\\x0ay'])
})
