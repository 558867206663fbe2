import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { signal } from '../processes.ts'
import type { Fault } from './fault.ts'

/**
 * Guardian and server die, and their pids are given to somebody who has nothing to do with them: the record is changed to say so, because the
 * kernel will not give out a pid again that soon.
 */
export const reusePid: Fault = {
  endsServer: true,
  async inject(stage) {
    const victims = [...stage.servers(), ...stage.guardians()]
    stage.excuses.strike(...victims)
    const pid = await stage.bystander()
    stage.trace.add(`guardian and server are killed, and their pid is now ${pid}, a bystander's`)
    // They stand still before, so that it is their record that is changed, and not that of those who come after them.
    for (const victim of victims) signal(victim, 'SIGSTOP')
    const path = join(stage.dir, 'server.json')
    try {
      const record = JSON.parse(readFileSync(path, 'utf8'), (key, value) => (key === 'pid' ? pid : value))
      writeFileSync(`${path}.reused`, JSON.stringify(record), { mode: 0o600 })
      renameSync(`${path}.reused`, path)
    } catch (error) {
      // There is none (any more), or no room for another: nobody can be misled.
      if (!['ENOENT', 'ENOSPC'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    } finally {
      rmSync(`${path}.reused`, { force: true })
      for (const victim of victims) signal(victim, 'SIGKILL')
    }
  },
}
