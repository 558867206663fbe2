/** The version of this package, as a guardian writes it into `server.json`, for people; `protocol` there decides who understands whom. */
export const VERSION = '0.0.0'
