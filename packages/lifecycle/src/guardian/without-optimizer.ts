/**
 * Loaded into a guardian before its program: what runs once every five seconds need not be fast. The compilers would take 4 MB,
 * most of it their own code, for the modules that are loaded at the start, and wake up threads. V8 passes over the name of a
 * compiler that it does not have; as arguments of Node unknown names would be errors.
 */
import { setFlagsFromString } from 'node:v8'

for (const compiler of ['opt', 'maglev', 'sparkplug']) setFlagsFromString(`--no-${compiler}`)
