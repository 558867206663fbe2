// Wrong: nobody takes away the folder of a process that died.
import { folderLock, namesOf } from './folder-lock.mjs'

export const open = (dir, slots) => folderLock(dir, namesOf(slots))
