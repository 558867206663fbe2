import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectBare } from '../../service-client/bare-connection.ts'
import type { OpenClient } from '../../service-client/open-client.ts'
import { startSurreal } from '../surreal-process.ts'

const KILLER = fileURLToPath(new URL('../programs/killer.js', import.meta.url))

/** Each connection starts a server for itself, and a process that ends it should this one be killed. */
export const open: OpenClient = (dir, { storage }) => {
  let servers = 0
  return {
    async connect() {
      const own = join(dir, `server-${process.pid}-${servers++}`)
      await mkdir(own, { mode: 0o700 })
      const server = await startSurreal(own, storage)
      const args = [KILLER, dir, String(process.pid), String(server.pid)]
      const killer = spawn(process.execPath, args, { detached: true, stdio: 'ignore' })
      try {
        await once(killer, 'spawn')
        killer.unref()
        const db = await connectBare(server.login)
        const close = async (): Promise<void> => {
          await db.close()
          await server.stop()
        }
        const { pid: guardian } = killer
        return { db, server: server.pid, ...(guardian === undefined ? {} : { guardian }), login: server.login, close }
      } catch (error) {
        await server.stop()
        throw error
      }
    },
  }
}
