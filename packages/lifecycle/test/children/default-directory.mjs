import { say } from '@procref/testing/child'
import { defaultDirectory } from '../../dist/state/layout.js'

try {
  say('directory', { directory: defaultDirectory() })
} catch (error) {
  say('refused', { code: error.code, message: error.message })
}
