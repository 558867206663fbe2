// One line to a working shared SurrealDB. Run it twice at the same time: both see the same rows.
import { connect } from 'procref'

const lease = await connect()
// retry(): of two programs that count at the same moment one is told of a conflict, and has not counted.
const [visits] = await lease.db.query('UPSERT visits:here SET count += 1 RETURN VALUE count').retry()
console.log(`${lease.url}: visit ${visits[0]}, slot ${lease.slot.id}, server pid ${lease.server.pid}`)
await lease.close()
