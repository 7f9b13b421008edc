import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { requireCommand } from '../support/commands.ts'
import { freePort, startProgram, writeConfig } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

export const vsftpd: ServerKind = {
  name: 'vsftpd',
  apt: 'vsftpd',
  command: 'vsftpd',
  async start({ folder, tls }, own) {
    const port = await freePort()
    await mkdir(join(folder, 'empty'))
    await mkdir(join(folder, 'root', 'upload'), { recursive: true })
    await chmod(join(folder, 'root', 'upload'), 0o777)
    const settings: Record<string, string | number> = {
      listen: 'YES',
      listen_ipv6: 'NO',
      background: 'NO',
      listen_address: '127.0.0.1',
      listen_port: port,
      anonymous_enable: 'YES',
      local_enable: 'NO',
      write_enable: 'YES',
      anon_root: join(folder, 'root'),
      anon_upload_enable: 'YES',
      anon_mkdir_write_enable: 'YES',
      anon_world_readable_only: 'NO',
      anon_umask: '022',
      secure_chroot_dir: join(folder, 'empty'),
      xferlog_enable: 'NO',
      seccomp_sandbox: 'NO',
    }
    if (tls !== undefined) {
      Object.assign(settings, { ssl_enable: 'YES', allow_anon_ssl: 'YES', force_anon_logins_ssl: 'YES' })
      Object.assign(settings, { force_anon_data_ssl: 'YES', rsa_cert_file: tls.cert, rsa_private_key_file: tls.key })
      // The edge makes a session of its own for each connection.
      Object.assign(settings, { require_ssl_reuse: 'NO', ssl_ciphers: 'HIGH' })
    }
    const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
    const config = await writeConfig(folder, 'vsftpd.conf', lines)
    const program = await startProgram(own, requireCommand('vsftpd'), [config], { port, cwd: folder })
    return { program, port, user: 'anonymous', password: 'worker@example.com' }
  },
}
