const NOBODY =
  'Engine 3.0.2: `SELECT * FROM ONLY $auth`, which is what the SDK’s auth() sends, answers NONE when nobody is a record user; 3.3.5 answers an error.'
const MESSAGES = 'Engine 3.0.2 has other words for these errors, and lets some of them pass.'
const VERSIONS =
  'The memory storage of engine 3.0.2 keeps versions of records; that of 3.3.5 does not, and answers an error.'
const UNMADE =
  'A namespace or database that does not exist: over ws the engine makes it when somebody who selected it before signs in, over http nothing is selected; 3.3.5 says that it does not exist.'

/** Why the embedded server's answer to a case stays another one than the real server's. */
export const STAY: Readonly<Record<string, string>> = {
  'connect: namespace, database': UNMADE,
  'use: what is not there yet': UNMADE,
  'auth: of a record, of a root user, of nobody': NOBODY,
  'the first session: every call': NOBODY,
  'a session: every call': NOBODY,
  'transaction: every call, committed': `${NOBODY} In a transaction the deletion of a record that was made in it answers without its id.`,
  'transaction: every call, cancelled': `${NOBODY} In a transaction the deletion of a record that was made in it answers without its id.`,
  'transaction: sees who began it':
    'In a transaction engine 3.0.2 knows no session: `$session`, `$token` and `$auth` are NONE.',
  'query: EXPLAIN': 'The plans of engine 3.0.2 are other ones.',
  'query: INFO about a user':
    'Engine 3.0.2 shows the hash of a password to whoever may see users; 3.3.5 hides it, and has a second one for SCRAM.',
  'select: timeout, version': VERSIONS,
  'create: timeout, version': VERSIONS,
  'update: content, merge, replace, patch':
    'Engine 3.0.2 does not carry out a patch that removes an element of a list that the same patch has added.',
  'values: made by the server':
    'A closure or a regular expression has no form for clients: engine 3.0.2 refuses the whole call, 3.3.5 the statement. One message has other words.',
  'errors: of statements, with their details': MESSAGES,
  'errors: not executed, cancelled':
    'After an error in a transaction engine 3.0.2 gives no answer to the COMMIT; 3.3.5 does.',
  'live: refused ones':
    'Over http the engine tries a LIVE statement before it is refused: what is wrong with the statement is said first.',
  'import: wrong ones':
    'A first statement that cannot be read is no `OPTION IMPORT`, and no more is said of it; 3.3.5 says what is wrong with it.',
}
