import { connectBare } from '../../service-client/bare-connection.ts'
import type { OpenClient } from '../../service-client/open-client.ts'
import { readServerFile } from '../server-file.ts'

export const open: OpenClient = (dir) => ({
  async connect() {
    const { login, pid } = await readServerFile(dir)
    const db = await connectBare(login)
    return { db, server: pid, login, close: async () => void (await db.close()) }
  },
})
