import { signal } from '../processes.ts'
import { between, type Fault, pick } from './fault.ts'

/** The server is killed, and somebody else is on its port before the next one. */
export const portTheft: Fault = {
  endsServer: true,
  inject(stage, [how]) {
    const served = stage.clients().find((client) => client.isServed)
    const server = pick(stage.servers())
    if (served?.lease === undefined || server === undefined) return
    const ms = between(500, 9_000, how)
    stage.trace.add(`a stranger takes port ${served.lease.port} for ${ms} ms; the server ${server.pid} is killed`)
    stage.excuses.strike(...stage.servers())
    stage.stealPort(served.lease.port, ms)
    signal(server, 'SIGKILL')
  },
}
