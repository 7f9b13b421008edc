import { spawnSync } from 'node:child_process'

const COMMANDS = ['ip', 'tc', 'ss', 'mount', 'mknod'] as const

/** Why it cannot run here, in words; undefined where it can. */
export function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux: network namespaces'
  if (process.getuid?.() !== 0) return 'it needs root: it makes network namespaces, devices and a mount of its own'
  const missing = COMMANDS.filter((command) => spawnSync(command, ['--version']).error !== undefined)
  if (missing.length > 0) return `it needs ${missing.join(', ')} (Debian: iproute2, util-linux, coreutils)`
  const probe = `hawser-chaos-${process.pid}-try`
  const add = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' })
  if (add.status !== 0) return `it may not make network namespaces here: ${add.stderr.trim()}`
  const words = ['-n', probe, 'link', 'add', 'try', 'type', 'veth', 'peer', 'name', 'yrt']
  const tap = ['-n', probe, 'link', 'add', 'link', 'try', 'name', 'tap', 'type', 'macvtap', 'mode', 'passthru']
  const links = [words, tap].map((command) => spawnSync('ip', command, { encoding: 'utf8' }))
  spawnSync('ip', ['netns', 'delete', probe])
  const failed = links.find(({ status }) => status !== 0)
  return failed === undefined ? undefined : `its kernel makes no veth or macvtap devices: ${failed.stderr.trim()}`
}
