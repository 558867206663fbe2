import { clockStep } from './clock.ts'
import { join, joinMany, leave, leaveAll } from './come-and-go.ts'
import { ask, restart, stopForce } from './commands.ts'
import { tooManyFiles } from './descriptors.ts'
import { fullDisk, slowDisk } from './disk.ts'
import type { Fault } from './fault.ts'
import { deleteLocks, deleteSlots, deleteState } from './files.ts'
import { killAllClients, killBoth, killClient, killGuardian, killServer } from './kill.ts'
import { portTheft } from './port.ts'
import { reusePid } from './reuse-pid.ts'
import { sleep } from './sleep.ts'
import { stopClient, stopGuardian, stopServer } from './stop.ts'

export type FaultKind = keyof typeof KINDS

const KINDS = {
  join,
  'join-many': joinMany,
  leave,
  'leave-all': leaveAll,
  'kill-client': killClient,
  'kill-all-clients': killAllClients,
  'kill-server': killServer,
  'kill-guardian': killGuardian,
  'kill-both': killBoth,
  'stop-client': stopClient,
  'stop-server': stopServer,
  'stop-guardian': stopGuardian,
  sleep,
  'delete-slots': deleteSlots,
  'delete-locks': deleteLocks,
  'delete-state': deleteState,
  'port-theft': portTheft,
  'reuse-pid': reusePid,
  'full-disk': fullDisk,
  'slow-disk': slowDisk,
  'clock-step': clockStep,
  'too-many-files': tooManyFiles,
  restart,
  'stop-force': stopForce,
  ask,
}

/** In this order: a plan draws from it, so that whoever puts something in changes what every seed does. */
export const FAULTS: Readonly<Record<FaultKind, Fault>> = KINDS
