import { embeddedSurreal } from '@procref/embedded'
import { native } from '@procref/native'
import type { Service } from '../service.ts'
import { INSTALL_ENGINE } from './driver-here.ts'
import { procrefService } from './procref-service.ts'

export const embeddedNative: Service = procrefService({
  name: 'procref-embedded-native',
  title: 'procref: embedded, native()',
  summary: 'the first client starts a guardian that serves the engine; the kernel tells it when the last slot is free',
  engine: 'embedded',
  settings: { backend: 'native', driver: 'embedded' },
  backend: native,
  driver: embeddedSurreal,
  remedy: INSTALL_ENGINE,
})
