import type { Service } from '../service.ts'

/** In the order of the report. */
export const SERVICES: readonly Service[] = []
