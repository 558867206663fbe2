/** For people who look into what their client keeps of a server's standard error; standard output belongs to the protocol. */
export function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message}\n`)
}
