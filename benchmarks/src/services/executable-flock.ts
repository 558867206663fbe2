import { flock } from '@procref/flock'
import { surrealBinary } from '@procref/lifecycle'
import type { Service } from '../service.ts'
import { INSTALL_SURREAL } from './driver-here.ts'
import { procrefService } from './procref-service.ts'

export const executableFlock: Service = procrefService({
  name: 'procref-executable-flock',
  title: 'procref: `surreal`, flock()',
  summary:
    'the first client starts a guardian with `surreal` below it; it looks twice a second whether all slots are free',
  engine: 'executable',
  settings: { backend: 'flock', driver: 'executable' },
  backend: flock,
  driver: surrealBinary,
  remedy: INSTALL_SURREAL,
})
