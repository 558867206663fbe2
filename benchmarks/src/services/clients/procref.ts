import type { SlotBackend } from '@procref/core'
import { embeddedSurreal } from '@procref/embedded'
import { flock } from '@procref/flock'
import { connect, layout, readCredentials, type ServerDriver, surrealBinary } from '@procref/lifecycle'
import { native } from '@procref/native'
import type { ServiceSettings } from '../../service.ts'
import type { OpenClient } from '../../service-client/open-client.ts'

export interface ProcrefSettings extends ServiceSettings {
  readonly backend: 'native' | 'flock'
  readonly driver: 'executable' | 'embedded'
}

/** As `connect()` of the package `procref`, with backend and server chosen. */
export const open: OpenClient<ProcrefSettings> = (dir, { backend, driver, ...settings }) => {
  const backends: { readonly [name in typeof backend]: () => SlotBackend } = { native, flock }
  const drivers: { readonly [name in typeof driver]: () => ServerDriver } = {
    executable: () => surrealBinary({ storage: settings.storage }),
    embedded: () => embeddedSurreal({ storage: settings.storage }),
  }
  const { slots, lingerMs } = settings
  return {
    async connect() {
      const lease = await connect({ dir, backend: backends[backend](), driver: drivers[driver](), slots, lingerMs })
      return {
        db: lease.db,
        server: lease.server.pid,
        guardian: lease.server.guardianPid,
        login: { url: lease.url, ...readCredentials(layout(dir)) },
        close: () => lease.close(),
      }
    },
  }
}
