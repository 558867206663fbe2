import { API } from './cases/api.ts'
import { AUTHENTICATION } from './cases/authentication.ts'
import { CONNECTION } from './cases/connection.ts'
import { ERRORS } from './cases/errors.ts'
import { LIVE } from './cases/live.ts'
import { QUERY } from './cases/query.ts'
import { RECONNECT } from './cases/reconnect.ts'
import { RECORDS } from './cases/records.ts'
import { FIRST_SESSION, SESSIONS } from './cases/sessions.ts'
import { RETRY, TRANSACTIONS } from './cases/transactions.ts'
import { TRANSFER } from './cases/transfer.ts'
import { VALUE_TYPES } from './cases/values.ts'
import type { Cases } from './sdk.ts'

/** All that a program can do with the official SDK, in one list for every server. */
export const SDK_CASES: Cases = {
  ...CONNECTION,
  ...AUTHENTICATION,
  ...FIRST_SESSION,
  ...SESSIONS,
  ...QUERY,
  ...RECORDS,
  ...VALUE_TYPES,
  ...ERRORS,
  ...TRANSACTIONS,
  ...RETRY,
  ...LIVE,
  ...API,
  ...TRANSFER,
  ...RECONNECT,
}
