import { robustMutex } from '@procref/native'
import type { OpenPool } from '../../subject.ts'
import { backendPool } from './backend-pool.ts'

export const open: OpenPool = async (dir, slots) => await backendPool(robustMutex(), dir, slots)
