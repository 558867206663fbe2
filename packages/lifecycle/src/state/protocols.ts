/**
 * What clients and guardians say to each other has a number: the fields of `server.json`, the requests in `request.json`, and who
 * does what when. Each version of procref speaks all protocols from the oldest to the newest; two versions work together when they
 * have one in common. A number is raised when a version that does not know it would misunderstand, or not hear, what is said:
 *
 *   1  all but what follows
 *   2  the request `restart`, and `restarting` in the record
 *
 * A guardian writes what a reader of its oldest protocol understands; what newer ones add is optional there.
 */
export const OLDEST_PROTOCOL = 1
export const NEWEST_PROTOCOL = 2

/** The first one whose guardians hear the request `restart`. */
export const RESTART_PROTOCOL = 2
