import { between, type Fault } from './fault.ts'

/** The machine sleeps: everybody stands still, and when they go on the clock has. */
export const sleep: Fault = {
  async inject(stage, [how]) {
    const ms = between(100, 4_000, how)
    stage.trace.add(`everybody sleeps for ${ms} ms`)
    const clients = stage.clients()
    for (const client of clients) client.standsStill(true)
    await stage.group.freeze()
    stage.forAWhile(ms, () => {
      stage.group.thaw()
      for (const client of clients) client.standsStill(false)
      stage.trace.add('everybody goes on')
    })
  },
}
