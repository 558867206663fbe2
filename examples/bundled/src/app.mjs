// The program: counts how often it was run, by anybody on this machine.
import { connect } from 'procref'

// The bundle has no files of procref's, so it says which of its own files is the guardian.
const lease = await connect({ guardianProgram: new URL('./guardian.mjs', import.meta.url) })
const [visits] = await lease.db.query('UPSERT visits:here SET count += 1 RETURN VALUE count').retry()
console.log(`visit ${visits[0]}, server pid ${lease.server.pid}`)
await lease.close()
