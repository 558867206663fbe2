import { existsSync, readFileSync } from 'node:fs'
// Not createRequire by its name: webpack would carry that out while it bundles, and leave nothing of it.
import nodeModule from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { translateErrno } from './errno.ts'
import { needDescriptors } from './need-descriptors.ts'
import { isPassingTrouble } from './passing-trouble.ts'

/** The `module` of descriptors whose factory is part of a bundle; the package's name comes behind it. */
const BUNDLE = 'bundle:'

/**
 * The `file:` URL of `path`, seen from the module whose `import.meta.url` is `own`, when that is a module of the installed package
 * `name`. `undefined` in a bundle: what lies beside a bundle's file is the application's, and may well be called `index.js` or `main.js`.
 *
 * Throws where the system does not get to it (`PROCREF_TOO_MANY_OPEN_FILES`): taken for a bundle, an installed package would be so for good.
 * Unspecified: whether anything is at the URL. Caller: hands `path` over as an argument like any other, never as
 * `new URL('./x.js', import.meta.url)`, of which bundlers make a copy of x.js without what it imports.
 */
export function installedModule(name: string, own: string | undefined, path: string): string | undefined {
  return own !== undefined && packageNameOf(own) === name ? new URL(path, own).href : undefined
}

/** The `module` of a package's descriptor: its index.js, or, in a bundle, where there is none, its name. */
export function descriptorModule(name: string, own: string | undefined, path = './index.js'): string {
  return installedModule(name, own, path) ?? `${BUNDLE}${name}`
}

/** Whether only a process of the same bundle can rebuild what has this `module` in its descriptor. */
export function isBundled(module: string): boolean {
  return module.startsWith(BUNDLE)
}

/**
 * The `file:` URL of the file that the code with this `import.meta.url` runs from: in a bundle the bundle's. Bundles of CommonJS have no
 * `import.meta.url`, and webpack replaces it by the place where the bundle was made.
 */
export function ownFile(importMetaUrl: string | undefined): string {
  if (importMetaUrl?.startsWith('file:') && existsSync(fileURLToPath(importMetaUrl))) return importMetaUrl
  if (typeof __filename === 'string') return pathToFileURL(__filename).href
  return pathToFileURL(process.argv[1] ?? process.execPath).href
}

/**
 * `require` for what is installed beside the code with this `import.meta.url`, or beside the bundle that it is part of. Throws where no
 * descriptor is left: a package whose package.json Node could not open once is missing for good.
 */
export function requireBeside(importMetaUrl: string | undefined): NodeJS.Require {
  const own = ownFile(importMetaUrl)
  const path = fileURLToPath(own)
  try {
    needDescriptors(path, 1)
  } catch (error) {
    if (isPassingTrouble(error)) throw translateErrno(error, 'load', path)
  }
  return nodeModule.createRequire(own)
}

/** What the nearest package.json above a file says. */
function packageNameOf(url: string): unknown {
  if (!url.startsWith('file:')) return undefined
  for (let folder = new URL('.', url); ; folder = new URL('..', folder)) {
    const manifest = fileURLToPath(new URL('package.json', folder))
    try {
      return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly name?: unknown }).name
    } catch (error) {
      if (isPassingTrouble(error)) throw translateErrno(error, 'read', manifest)
      // Not there, or none that can be read: the next one above. At the root there is nothing above.
      if (new URL('..', folder).href === folder.href) return undefined
    }
  }
}
