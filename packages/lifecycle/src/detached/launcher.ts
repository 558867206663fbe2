/** Usage: `node launcher.js [<argument of Node> …] <program> <setup as JSON>`. Started by `launchDetached` only. */
import { leaveOrphan } from './leave-orphan.ts'

leaveOrphan(process.argv.slice(2))
