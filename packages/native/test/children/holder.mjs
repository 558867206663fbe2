// A process that opens the pool it is told of, and does with it what it is told.
import { obey, say, sayFailed } from '@procref/conformance/harness'
import { robustMutex, sysv } from '@procref/native'

const { factory, dir, label, slots } = JSON.parse(process.argv[2])

async function main() {
  const backend = { robustMutex, sysv }[factory]()
  const pool = await backend.open(dir, { label, slots })
  let slot
  obey({
    tryClaim: async () => {
      slot = await pool.tryClaim()
      say('tryClaim', { slot: slot?.id ?? null })
    },
    claim: async () => {
      slot = await pool.claim({ timeoutMs: 2 ** 31 - 1 })
      say('claim', { slot: slot.id })
    },
    verify: async () =>
      say('verify', {
        error: await slot.verify().then(
          () => null,
          (error) => error.message,
        ),
      }),
    close: async () => {
      await pool.close()
      say('close')
    },
  })
  say('ready')
}

main().catch(sayFailed)
