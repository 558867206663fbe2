import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a registry says of one package, from its package.json. */
export interface PublishedPackage {
  readonly manifest: { readonly name: string; readonly version: string }
  readonly tarball: string
}

export interface Registry extends AsyncDisposable {
  readonly url: string
}

/**
 * A registry on loopback that has published exactly these tarballs, and finds nothing else: what is installed from it is installed as
 * it will be after a release, optional packages for other platforms and all.
 */
export async function startRegistry(packages: readonly PublishedPackage[]): Promise<Registry> {
  const byName = new Map(packages.map((each) => [each.manifest.name, each]))
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1)
    const found = byName.get(path.replace(/\/-\/.*$/, ''))
    if (found === undefined) return void response.writeHead(404).end('{"error":"not found"}')
    if (path.includes('/-/')) return void response.end(readFileSync(found.tarball))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(packument(found, `http://${request.headers.host}`)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Published long ago: package managers refuse what is too new. */
const PUBLISHED_AT = '2020-01-01T00:00:00.000Z'

function packument({ manifest, tarball }: PublishedPackage, origin: string) {
  const { name, version } = manifest
  const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
  const dist = { tarball: `${origin}/${name}/-/${version}.tgz`, integrity }
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
    time: { created: PUBLISHED_AT, modified: PUBLISHED_AT, [version]: PUBLISHED_AT },
  }
}
