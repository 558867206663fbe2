import type {
  CodecOptions,
  ConnectOptions,
  DriverOptions,
  LiveSubscription,
  ManagedLiveSubscription,
  NamespaceDatabase,
  ReconnectOptions,
  RetryOptions,
  SqlExportOptions,
  Surreal,
  SurrealApi,
  SurrealSession,
  SurrealTransaction,
  UnmanagedLiveSubscription,
} from 'surrealdb'

/**
 * Everything public in the SDK's `Surreal` class and in what its methods answer with, and all of their options. The types are
 * the SDK's own: with a version that has one more or one less, this file does not compile; and sdk.test.ts fails while a name
 * in here is used by no case.
 */
type Names<T> = Readonly<Record<Exclude<keyof T, keyof Promise<unknown>>, true>>
type Options<T> = Readonly<Record<keyof T, true>>

type Queryable = Pick<SurrealTransaction, Exclude<keyof SurrealTransaction, 'commit' | 'cancel'>>
type Made<M extends 'select' | 'create' | 'update' | 'upsert' | 'delete' | 'insert' | 'relate' | 'run'> = ReturnType<
  Surreal[M]
>

const queryable: Names<Queryable> = {
  api: true,
  query: true,
  auth: true,
  live: true,
  liveOf: true,
  select: true,
  create: true,
  relate: true,
  insert: true,
  update: true,
  upsert: true,
  delete: true,
  run: true,
}

const session: Names<SurrealSession> = {
  ...queryable,
  subscribe: true,
  namespace: true,
  database: true,
  accessToken: true,
  parameters: true,
  session: true,
  isValid: true,
  forkSession: true,
  closeSession: true,
  [Symbol.asyncDispose]: true,
  beginTransaction: true,
  use: true,
  signup: true,
  signin: true,
  authenticate: true,
  set: true,
  unset: true,
  invalidate: true,
  reset: true,
}

const surreal: Names<Surreal> = {
  ...session,
  status: true,
  isConnected: true,
  ready: true,
  connect: true,
  close: true,
  health: true,
  version: true,
  isFeatureSupported: true,
  sessions: true,
  newSession: true,
  import: true,
  export: true,
  exportModel: true,
}

const transaction: Names<SurrealTransaction> = { ...queryable, commit: true, cancel: true }

/** `dispatch` is public in the typings by mistake: awaiting a query is what calls it. */
const query: Names<Omit<ReturnType<Surreal['query']>, 'dispatch'>> = {
  inner: true,
  json: true,
  retry: true,
  collect: true,
  stream: true,
  responses: true,
}

const select: Names<Made<'select'>> = {
  json: true,
  fields: true,
  value: true,
  start: true,
  limit: true,
  where: true,
  fetch: true,
  timeout: true,
  version: true,
  compile: true,
  stream: true,
}

const create: Names<Made<'create'>> = {
  json: true,
  retry: true,
  content: true,
  patch: true,
  output: true,
  timeout: true,
  version: true,
  compile: true,
  stream: true,
}

const change: Names<Made<'update'>> & Names<Made<'upsert'>> = {
  json: true,
  retry: true,
  content: true,
  merge: true,
  replace: true,
  patch: true,
  where: true,
  output: true,
  timeout: true,
  compile: true,
  stream: true,
}

const remove: Names<Made<'delete'>> = {
  json: true,
  retry: true,
  output: true,
  timeout: true,
  version: true,
  compile: true,
  stream: true,
}

const insert: Names<Made<'insert'>> = {
  json: true,
  retry: true,
  relation: true,
  ignore: true,
  output: true,
  timeout: true,
  version: true,
  compile: true,
  stream: true,
}

const relate: Names<Made<'relate'>> = {
  json: true,
  retry: true,
  unique: true,
  output: true,
  timeout: true,
  version: true,
  compile: true,
  stream: true,
}

const run: Names<Made<'run'>> = { json: true, retry: true, compile: true, stream: true }
const auth: Names<ReturnType<Surreal['auth']>> = { json: true, compile: true, stream: true }

const live: Names<ReturnType<Surreal['live']>> = {
  diff: true,
  fields: true,
  value: true,
  where: true,
  fetch: true,
  compile: true,
}

const subscription: Names<LiveSubscription> = {
  id: true,
  isManaged: true,
  resource: true,
  isAlive: true,
  kill: true,
  [Symbol.asyncIterator]: true,
  subscribe: true,
}

const managed: Names<ManagedLiveSubscription> = { ...subscription, ready: true }
const unmanaged: Names<UnmanagedLiveSubscription> = subscription

const api: Names<SurrealApi> = {
  header: true,
  invoke: true,
  get: true,
  post: true,
  put: true,
  delete: true,
  patch: true,
  trace: true,
}

const apiCall: Names<ReturnType<SurrealApi['invoke']>> = {
  json: true,
  header: true,
  query: true,
  value: true,
  compile: true,
  stream: true,
}

const driverOptions: Options<DriverOptions> = {
  engines: true,
  codecs: true,
  codecOptions: true,
  websocketImpl: true,
  fetchImpl: true,
}

const codecOptions: Options<CodecOptions> = { useNativeDates: true, valueEncodeVisitor: true, valueDecodeVisitor: true }

const connectOptions: Options<ConnectOptions> = {
  namespace: true,
  database: true,
  authentication: true,
  versionCheck: true,
  invalidateOnExpiry: true,
  expiryMargin: true,
  reconnect: true,
  retry: true,
}

const reconnectOptions: Options<ReconnectOptions> = {
  enabled: true,
  attempts: true,
  retryDelay: true,
  retryDelayMax: true,
  retryDelayMultiplier: true,
  retryDelayJitter: true,
  catch: true,
}

const retryOptions: Options<RetryOptions> = {
  enabled: true,
  attempts: true,
  retryDelay: true,
  retryDelayMax: true,
  retryDelayMultiplier: true,
  retryDelayJitter: true,
  retryable: true,
}

const exportOptions: Options<SqlExportOptions> = {
  users: true,
  accesses: true,
  params: true,
  functions: true,
  analyzers: true,
  apis: true,
  buckets: true,
  modules: true,
  configs: true,
  tables: true,
  versions: true,
  records: true,
  sequences: true,
  v3: true,
}

const selection: Options<NamespaceDatabase> = { namespace: true, database: true }

const BY_OWNER: Readonly<Record<string, Readonly<Record<string | symbol, true>>>> = {
  Surreal: surreal,
  SurrealSession: session,
  SurrealTransaction: transaction,
  Query: query,
  SelectPromise: select,
  CreatePromise: create,
  UpdatePromise: change,
  UpsertPromise: change,
  DeletePromise: remove,
  InsertPromise: insert,
  RelatePromise: relate,
  RunPromise: run,
  AuthPromise: auth,
  ManagedLivePromise: live,
  ManagedLiveSubscription: managed,
  UnmanagedLiveSubscription: unmanaged,
  SurrealApi: api,
  ApiPromise: apiCall,
  ExportPromise: { raw: true } satisfies Names<ReturnType<Surreal['export']>>,
  ExportModelPromise: { raw: true } satisfies Names<ReturnType<Surreal['exportModel']>>,
  'new Surreal': driverOptions,
  'new Surreal.codecOptions': codecOptions,
  'Surreal.connect': connectOptions,
  'Surreal.connect.reconnect': reconnectOptions,
  'Surreal.connect.retry': retryOptions,
  'Surreal.export': exportOptions,
  'Surreal.use': selection,
}

/** As a witness names them. */
export const MEMBERS: readonly string[] = [
  'SurrealSession.of',
  ...Object.entries(BY_OWNER).flatMap(([owner, names]) =>
    Reflect.ownKeys(names).map((name) => `${owner}.${String(name)}`),
  ),
]
