#!/usr/bin/env node
// Plain JavaScript that any Node from 14 on can read: it finds a Node that can run Hawser, and starts Hawser on it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED = [24, 11]
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
/** Set for the Node started from here, so that a wrong one there ends in a message and not in a loop. */
const MARK = 'HAWSER_LAUNCHED'

function isNewEnough(version) {
  const parts = version.split('.').map(Number)
  return parts[0] > NEEDED[0] || (parts[0] === NEEDED[0] && parts[1] >= NEEDED[1])
}

/** The Node that the npm package `node` installed beside this package, or undefined. */
function bundledNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json')
    const name = process.platform === 'win32' ? 'node.exe' : 'node'
    const binary = join(dirname(manifest), 'bin', name)
    return existsSync(binary) ? binary : undefined
  } catch {
    return undefined
  }
}

function complain() {
  const needed = NEEDED.join('.')
  process.stderr.write(
    'hawser: Node ' +
      needed +
      ' or newer is needed, this is ' +
      process.versions.node +
      ' (options_invalid)\n' +
      'Install it, or the npm package "node" beside hawser: npm install node@24\n',
  )
  process.exit(2)
}

/** Runs this same file on another Node, as if that had been started: its signals, its exit. */
function relay(binary) {
  const env = Object.assign({}, process.env)
  env[MARK] = '1'
  // The channel is how the other one notices that this one was killed.
  const child = spawn(binary, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env: env })
  const forward = function (signal) {
    child.kill(signal)
  }
  SIGNALS.forEach(function (signal) {
    process.on(signal, forward)
  })
  child.on('error', function (error) {
    process.stderr.write('hawser: ' + binary + ' cannot be started: ' + error.message + ' (proxy_internal_error)\n')
    process.exit(1)
  })
  child.on('exit', function (code, signal) {
    SIGNALS.forEach(function (name) {
      process.removeListener(name, forward)
    })
    if (signal === null) process.exit(code)
    else process.kill(process.pid, signal)
  })
}

function start() {
  const here = dirname(fileURLToPath(import.meta.url))
  const source = join(here, '..', 'src', 'main.ts') // in the repository; the published package has only what was built
  delete process.env[MARK]
  return import(existsSync(source) ? '../src/main.ts' : '../dist/main.mjs')
}

if (isNewEnough(process.versions.node)) {
  void start()
} else {
  const binary = process.env[MARK] === undefined ? bundledNode() : undefined
  if (binary === undefined) complain()
  else relay(binary)
}
