import { say } from '@procref/testing/child'
import { startMark } from '../../dist/crash-loop.js'

say('marked', { mark: startMark() })
