import type { Behaviour } from '../behaviour.ts'
import { cancellation } from './cancellation.ts'
import { close } from './close.ts'
import { controlLocks } from './control-locks.ts'
import { crashRelease } from './crash-release.ts'
import { damagedFiles } from './damaged-files.ts'
import { deletedFiles } from './deleted-files.ts'
import { descriptor } from './descriptor.ts'
import { directory } from './directory.ts'
import { exclusion } from './exclusion.ts'
import { exhausted } from './exhausted.ts'
import { garbageCollection } from './garbage-collection.ts'
import { inheritance } from './inheritance.ts'
import { namespaces } from './namespaces.ts'
import { openFiles } from './open-files.ts'
import { poolSize } from './pool-size.ts'
import { probing } from './probing.ts'
import { programs } from './programs.ts'
import { provenEmpty } from './proven-empty.ts'
import { release } from './release.ts'
import { seedProtocol } from './seed-protocol.ts'
import { stoppedHolder } from './stopped-holder.ts'
import { stress } from './stress.ts'
import { support } from './support.ts'
import { twoPools } from './two-pools.ts'
import { unusableFiles } from './unusable-files.ts'
import { waiting } from './waiting.ts'
import { workerThreads } from './worker-threads.ts'

/** All that a backend has to show, from the plainest on. */
export const behaviours: readonly Behaviour[] = [
  support,
  descriptor,
  directory,
  poolSize,
  exclusion,
  twoPools,
  release,
  close,
  cancellation,
  waiting,
  exhausted,
  probing,
  provenEmpty,
  crashRelease,
  stoppedHolder,
  programs,
  inheritance,
  workerThreads,
  garbageCollection,
  openFiles,
  deletedFiles,
  damagedFiles,
  unusableFiles,
  namespaces,
  seedProtocol,
  controlLocks,
  stress,
]
