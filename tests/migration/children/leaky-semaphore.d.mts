import type { SlotBackend } from '@procref/core'

export function leakySemaphore(): SlotBackend
export function semaphoreName(dir: string): string
