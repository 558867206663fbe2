// `peer.mjs DIR`: another process with the pool open. Says its PID, then claims a slot for each line that it is sent.
import { createInterface } from 'node:readline'
import { native } from '@procref/native'

const pool = await native().open(process.argv[2], { slots: 1 })
console.log(process.pid)
for await (const _ of createInterface({ input: process.stdin })) console.log((await pool.tryClaim())?.id ?? null)
