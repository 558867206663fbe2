import type { ControlGroup } from '@procref/testing'
import { between, type Fault } from './fault.ts'

/** How many sleeps are under way: one that is over does not wake who is in another. */
const asleep = new WeakMap<ControlGroup, number>()

/** The machine sleeps: everybody stands still, and when they go on the clock has. */
export const sleep: Fault = {
  async inject(stage, [how]) {
    const { group } = stage
    const ms = between(100, 4_000, how)
    stage.trace.add(`everybody sleeps for ${ms} ms`)
    const clients = stage.clients()
    for (const client of clients) client.standsStill(true)
    asleep.set(group, (asleep.get(group) ?? 0) + 1)
    await group.freeze()
    stage.forAWhile(ms, () => {
      const left = (asleep.get(group) ?? 1) - 1
      asleep.set(group, left)
      if (left > 0) return
      group.thaw()
      for (const client of clients) client.standsStill(false)
      stage.trace.add('everybody goes on')
    })
  },
}
