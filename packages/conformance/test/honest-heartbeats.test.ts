import { conformance } from '@procref/conformance'
import { rebuildFromDescriptor, type SlotBackend } from '@procref/core'

const module = new URL('./honest/heartbeats.mjs', import.meta.url).href
const heartbeats = await rebuildFromDescriptor<SlotBackend>({ module, factory: 'heartbeats', options: {} })

// A backend that only time tells of a holder's death: each of its weaker claims is checked, and holds.
conformance({ factory: () => heartbeats, stressClaims: 1_000 })
