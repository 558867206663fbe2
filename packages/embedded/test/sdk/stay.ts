/** Why the embedded server's answer to a case stays another one than the real server's. */
export const STAY: Readonly<Record<string, string>> = {}
