import { type Factories, rebuildMigrating } from '@procref/core'
import { command } from '../drivers/command.ts'
import { surrealBinary } from '../drivers/surreal-binary.ts'

/** What every guardian can make of a bundle's descriptors, because it is made of the same packages. */
export const BUILT_IN: Factories = { command, rebuildMigrating, surrealBinary }
