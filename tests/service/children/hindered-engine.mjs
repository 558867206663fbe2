// Drivers in which the system refuses the embedded engine something: see ../refused-start.test.ts.
import { existsSync, rmSync } from 'node:fs'
import { translateErrno } from '@procref/core'
import { embeddedSurreal } from '@procref/embedded'

/** `embeddedSurreal()`, but that one start is refused something when it has opened the database, once there is a file `sign`, which then is removed. */
export function hinderedEngine({ sign }) {
  const engine = embeddedSurreal()
  return {
    ...engine,
    descriptor: { module: import.meta.url, factory: 'hinderedEngine', options: { sign } },
    async launch(context) {
      const server = await engine.launch(context)
      return {
        pid: server.pid,
        ended: server.ended,
        async ready(options) {
          const details = await server.ready(options)
          if (!existsSync(sign)) return details
          rmSync(sign)
          const noRoom = Object.assign(new Error('No space left on device'), { code: 'ENOSPC' })
          throw translateErrno(noRoom, 'start SurrealDB on the database in', context.databaseDir)
        },
        terminate: () => server.terminate(),
        kill: () => server.kill(),
      }
    },
  }
}

/** `embeddedSurreal()`, but that the disk does not give its data while there is a file `sign`. */
export function engineWithoutData({ sign }) {
  const engine = embeddedSurreal()
  return {
    ...engine,
    descriptor: { module: import.meta.url, factory: 'engineWithoutData', options: { sign } },
    async checkData(databaseDir) {
      await engine.checkData(databaseDir)
      if (existsSync(sign)) throw Object.assign(new Error('i/o error'), { code: 'EIO', path: databaseDir })
    },
  }
}
