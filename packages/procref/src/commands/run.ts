import { basename } from 'node:path'
import { DEFAULT_DATABASE, DEFAULT_NAMESPACE, layout, readCredentials, sharedService } from '@procref/lifecycle'
import { note } from '../cli/output.ts'
import { whileWaiting } from '../cli/progress.ts'
import { type ProgramEnd, runToEnd } from '../run/program.ts'
import { urlOf } from '../server-url.ts'
import { resolveService } from '../service.ts'
import { type ServiceOptions, toQuestion } from '../service-options.ts'

/**
 * Runs a program while holding a share in the server, and resolves with how it ended.
 *
 * Guarantee: the server is up when the program starts, and stays while either of us lives, because the program inherits the
 * slot's descriptor where the backend can pass it on. A server that dies is brought back as long as we live.
 * Unspecified: what becomes of the program when the lease is lost; that is told on stderr, and the program goes on.
 */
export async function runProgram(file: string, args: readonly string[], options: ServiceOptions): Promise<ProgramEnd> {
  const service = await resolveService(toQuestion(options, labelOf(file, args)))
  const paths = layout(service.dir)
  await using lease = await whileWaiting((onProgress) => sharedService({ ...service, onProgress }))
  const { user, password } = readCredentials(paths)
  lease.lost.addEventListener('abort', () => {
    // Closing the lease does not fire this; whatever does is worth a line among the program's own.
    note(`procref: ${(lease.lost.reason as Error).message}`)
  })
  const end = await runToEnd({
    file,
    args,
    slotFd: lease.slot.fd,
    env: {
      ...process.env,
      // So that a procref of its own means the same directory.
      PROCREF_DIR: paths.root,
      SURREAL_URL: urlOf(lease.server),
      SURREAL_USER: user,
      SURREAL_PASS: password,
      SURREAL_NAMESPACE: DEFAULT_NAMESPACE,
      SURREAL_DATABASE: DEFAULT_DATABASE,
    },
  })
  if (end.kind === 'not-started') note(`procref: ${file} could not be started: ${end.error.message}`)
  return end
}

/** `python app.py`: enough to recognise it. Later arguments stay out, they may be secrets. */
function labelOf(file: string, args: readonly string[]): string {
  const [first] = args
  return first === undefined || first.startsWith('-') ? basename(file) : `${basename(file)} ${basename(first)}`
}
