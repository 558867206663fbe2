import { between, type Fault } from './fault.ts'

const DAY_S = 86_400

/** The time of day jumps, for all of them; the time since boot does not. */
export const clockStep: Fault = {
  needs: ['clock'],
  inject(stage, [how = 0]) {
    const seconds = between(-2 * DAY_S, 2 * DAY_S, how)
    stage.trace.add(`the clock is ${seconds} s beside the right time`)
    stage.surroundings.clock?.step(seconds)
  },
}
