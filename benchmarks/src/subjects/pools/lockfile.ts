import { lockfile } from '@procref/lockfile'
import type { OpenPool } from '../../subject.ts'
import { backendPool } from './backend-pool.ts'

export const open: OpenPool = async (dir, slots) => await backendPool(lockfile(), dir, slots)
