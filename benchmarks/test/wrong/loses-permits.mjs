// Wrong: what is given back is gone.
import { folderLock, namesOf } from './folder-lock.mjs'

export const open = (dir, slots) => folderLock(dir, namesOf(slots), () => {})
