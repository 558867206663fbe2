// A driver in which the system refuses the embedded engine something when it has opened the database: see ../refused-start.test.ts.
import { rmSync, statSync } from 'node:fs'
import { translateErrno } from '@procref/core'
import { embeddedSurreal } from '@procref/embedded'

/** `embeddedSurreal()`, but that one start is refused once there is a file `sign`, which then is removed. */
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
          if (statSync(sign, { throwIfNoEntry: false }) === undefined) return details
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
