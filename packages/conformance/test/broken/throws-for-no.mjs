import { broken } from './break.mjs'

/** support() throws where it should say no. */
export function throwsForNo() {
  return broken(import.meta.url, 'throwsForNo', {
    backend: (right) => ({
      async support(dir) {
        const answer = await right.support(dir)
        if (!answer.supported) throw new Error(answer.reason)
        return answer
      },
    }),
  })
}
