import type { Check } from '../check.ts'
import { backend } from './backend.ts'
import { binding } from './binding.ts'
import { clock } from './clock.ts'
import { config } from './config.ts'
import { credentials } from './credentials.ts'
import { directory } from './directory.ts'
import { disk } from './disk.ts'
import { engine } from './engine.ts'
import { files } from './files.ts'
import { filesystem } from './filesystem.ts'
import { guardian } from './guardian.ts'
import { holders } from './holders.ts'
import { journal } from './journal.ts'
import { leftovers } from './leftovers.ts'
import { limits } from './limits.ts'
import { node } from './node.ts'
import { parents } from './parents.ts'
import { port } from './port.ts'
import { protocol } from './protocol.ts'
import { request } from './request.ts'
import { semaphores } from './semaphores.ts'
import { server } from './server.ts'
import { serverLog } from './server-log.ts'
import { serverProgram } from './server-program.ts'
import { slots } from './slots.ts'
import { state } from './state.ts'

/** Every check, in the order in which it is shown: the place, the slots, the service, the data, the machine. */
export const CHECKS: readonly Check[] = [
  directory,
  parents,
  filesystem,
  disk,
  files,
  config,
  protocol,
  backend,
  slots,
  // Before the slots are opened to look at them: a set that nobody uses is removed by that.
  semaphores,
  holders,
  state,
  guardian,
  server,
  port,
  request,
  leftovers,
  credentials,
  engine,
  journal,
  serverLog,
  serverProgram,
  binding,
  limits,
  clock,
  node,
]
