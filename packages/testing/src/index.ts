export {
  type Child,
  type ChildEvent,
  type ChildExit,
  type ChildOptions,
  eventually,
  HANGS_MS,
  makeTempDir,
  mustBlock,
  QUIET_MS,
  startChild,
  startProgram,
  staysTrue,
  type TempDir,
  within,
} from '@procref/conformance/harness'
export { atEnd, freshDir } from './at-end.ts'
export { canCutPower } from './can-cut-power.ts'
export { chromiumPath } from './chromium.ts'
export { type ControlGroup, canGroup, makeControlGroup } from './control-group.ts'
export { type Drive, mountDrive, type PowerCut } from './drive.ts'
export { type DirectoryUser, endDirectory, lockUsers, servantsOf } from './end-directory.ts'
export { freePort } from './free-port.ts'
export { freeze } from './freeze.ts'
export { removeSemaphoresAfterwards } from './leftover-semaphores.ts'
export { asOtherUser, isRoot, otherUser, unprivileged } from './other-user.ts'
export { ownMemory } from './own-memory.ts'
export {
  commandLine,
  descriptorLimit,
  environment,
  isAlive,
  type OpenFile,
  openFiles,
  type ProcessState,
  processes,
  processState,
  whoHasOpen,
  zombies,
} from './proc.ts'
export { seededRandom } from './seeded-random.ts'
export { removeSet, removeSetsAfterwards, setExists } from './semaphore-sets.ts'
export { shareOf, testsInTurn } from './share-of.ts'
export { surrealBinary } from './surreal-binary.ts'
export { isLoopback, type TcpListener, tcpListeners, tcpListenersOf, whoListensOn } from './tcp.ts'
export { mountTmpfs } from './tmpfs.ts'
