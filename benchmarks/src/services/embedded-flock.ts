import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import type { Service } from '../service.ts'
import { INSTALL_ENGINE } from './driver-here.ts'
import { procrefService } from './procref-service.ts'

export const embeddedFlock: Service = procrefService({
  name: 'procref-embedded-flock',
  title: 'procref: embedded, flock()',
  summary:
    'the first client starts a guardian that serves the engine; it looks twice a second whether all slots are free',
  engine: 'embedded',
  settings: { backend: 'flock', driver: 'embedded' },
  backend: flock,
  driver: embeddedSurreal,
  remedy: INSTALL_ENGINE,
})
