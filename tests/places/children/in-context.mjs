// Runs a program of CommonJS in a context of its own, as test runners do: its Error, Map and so on are not Node's. Arguments: the program, then its own.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { createContext, runInContext } from 'node:vm'

const [file] = process.argv.splice(2, 1)
process.argv[1] = file
// Everything that Node adds to what the language itself has.
const language = new Set(runInContext('Object.getOwnPropertyNames(globalThis)', createContext({})))
const names = Object.getOwnPropertyNames(globalThis).filter((name) => !language.has(name))
const context = createContext(Object.fromEntries(names.map((name) => [name, globalThis[name]])))
// Of Node's additions these are inside of what the language has.
context.symbols = { dispose: Symbol.dispose, asyncDispose: Symbol.asyncDispose }
runInContext('Symbol.dispose ??= symbols.dispose; Symbol.asyncDispose ??= symbols.asyncDispose', context)
const program = runInContext(
  `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`,
  context,
)
const module = { exports: {} }
program(module.exports, createRequire(file), module, file, dirname(file))
