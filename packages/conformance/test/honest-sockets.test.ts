import { conformance } from '@procref/conformance'
import { rebuildFromDescriptor, type SlotBackend } from '@procref/core'

const module = new URL('./honest/sockets.mjs', import.meta.url).href
const sockets = await rebuildFromDescriptor<SlotBackend>({ module, factory: 'sockets', options: {} })

// A backend without slot files, limited to one network namespace: each of its weaker claims is checked, and holds.
conformance({ factory: () => sockets, stressClaims: 4_000 })
