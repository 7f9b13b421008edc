import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProcesses, parseStatus, residentKiB, residentOf } from './memory.ts'

const LISTING = `
    1     0  1000
   10     1   100
   12    11    25
   11    10    50
   20     1   300
`

test('a process listing becomes rows, whatever its spacing', () => {
  assert.deepEqual(parseProcesses(LISTING)[2], { pid: 12, parent: 11, residentKiB: 25 })
  assert.equal(parseProcesses(LISTING).length, 5)
})

test('lines that are not three numbers are left out', () => {
  assert.deepEqual(parseProcesses('PID PPID RSS\n\n 1 2\n'), [])
})

test('the status file of a process becomes a row', () => {
  const status = 'Name:\tnode\nUmask:\t0022\nPid:\t42\nPPid:\t7\nVmPeak:\t 9 kB\nVmRSS:\t   118532 kB\nThreads:\t11\n'
  assert.deepEqual(parseStatus(status), { pid: 42, parent: 7, residentKiB: 118_532 })
})

test('a kernel thread, a zombie and a file that is gone are no rows', () => {
  assert.equal(parseStatus('Name:\tkthreadd\nPid:\t2\nPPid:\t0\nThreads:\t1\n'), undefined)
  assert.equal(parseStatus(''), undefined)
})

test('a process counts with all its descendants, in whatever order they are listed', () => {
  assert.equal(residentOf(parseProcesses(LISTING), [10]), 175)
  assert.equal(residentOf(parseProcesses(LISTING), [11]), 75)
})

test('several processes count together, and each only once', () => {
  assert.equal(residentOf(parseProcesses(LISTING), [10, 20]), 475)
  assert.equal(residentOf(parseProcesses(LISTING), [10, 11, 12]), 175)
})

test('a process that is gone counts nothing', () => {
  assert.equal(residentOf(parseProcesses(LISTING), [999]), 0)
})

test('this very process is resident', async () => {
  const measured = await residentKiB([process.pid])
  assert.ok(measured > 10_000, `${measured} KiB`)
})
