// One line to a working shared SurrealDB. Run it twice at the same time: both see the same rows.
import { connect } from 'procref'

const lease = await connect()
const [visits] = await lease.db.query('UPSERT visits:here SET count = (count ?? 0) + 1 RETURN VALUE count')
console.log(`${lease.url}: visit ${visits[0]}, slot ${lease.slot.id}, server pid ${lease.server.pid}`)
await lease.close()
