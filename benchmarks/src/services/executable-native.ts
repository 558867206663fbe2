import { surrealBinary } from '@procref/lifecycle'
import { native } from '@procref/native'
import type { Service } from '../service.ts'
import { INSTALL_SURREAL } from './driver-here.ts'
import { procrefService } from './procref-service.ts'

export const executableNative: Service = procrefService({
  name: 'procref-executable-native',
  title: 'procref: `surreal`, native()',
  summary: 'the first client starts a guardian with `surreal` below it; the kernel tells it when the last slot is free',
  engine: 'executable',
  settings: { backend: 'native', driver: 'executable' },
  backend: native,
  driver: surrealBinary,
  remedy: INSTALL_SURREAL,
})
