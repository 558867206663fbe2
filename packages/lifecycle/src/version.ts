/** Written into `server.json`, for people; `protocol` there decides who understands whom. */
export const VERSION = '0.0.0'
