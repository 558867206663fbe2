// Checks the directory of its first argument and says what it was told.
import { secureDirectory } from '@procref/core'

let told = {}
try {
  secureDirectory(process.argv[2])
} catch ({ code, message }) {
  told = { code, message }
}
console.log(JSON.stringify({ event: 'done', ...told }))
