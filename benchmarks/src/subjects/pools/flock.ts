import { flock } from '@procref/flock'
import type { OpenPool } from '../../subject.ts'
import { backendPool } from './backend-pool.ts'

export const open: OpenPool = async (dir, slots) => await backendPool(flock(), dir, slots)
