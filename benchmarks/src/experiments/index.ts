import type { Experiment } from '../experiment.ts'
import { child } from './child.ts'
import { crash } from './crash.ts'
import { debugging } from './debugging.ts'
import { deleted } from './deleted.ts'
import { fork } from './fork.ts'
import { full } from './full.ts'
import { kill } from './kill.ts'
import { maximum } from './maximum.ts'
import { oneRelease } from './one-release.ts'
import { pidReuse } from './pid-reuse.ts'
import { platforms } from './platforms.ts'
import { stale } from './stale.ts'
import { stop } from './stop.ts'

/** In the order of the report. */
export const EXPERIMENTS: readonly Experiment[] = [
  kill,
  stale,
  crash,
  pidReuse,
  stop,
  child,
  fork,
  deleted,
  full,
  oneRelease,
  maximum,
  platforms,
  debugging,
]
