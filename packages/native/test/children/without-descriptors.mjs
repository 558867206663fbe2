// Asks for the native code when no descriptor is left to load it with, and again when there are some.
import { closeSync } from 'node:fs'
import { isNativeCodeHere } from '@procref/native'
import { say, useUpDescriptors } from '@procref/testing/child'

const used = useUpDescriptors()
// One to look at package.json with, none for what the file needs besides: a step further each time.
for (let spare = 0; ; spare++) {
  try {
    say('loaded', { spare, here: isNativeCodeHere() })
    break
  } catch ({ code, message }) {
    say('refused', { spare, code, message })
  }
  closeSync(used.pop())
}
