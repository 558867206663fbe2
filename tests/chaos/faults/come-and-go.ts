import { type Fault, pick } from './fault.ts'

export const join: Fault = { inject: (stage) => stage.join() }

export const joinMany: Fault = {
  inject(stage) {
    for (let n = 0; n < 6; n++) stage.join()
  },
}

export const leave: Fault = {
  inject(stage, [whom]) {
    pick(
      stage.clients().filter((client) => client.isServed),
      whom,
    )?.leave()
  },
}

export const leaveAll: Fault = {
  inject(stage) {
    for (const client of stage.clients().filter((one) => one.isServed)) client.leave()
  },
}
