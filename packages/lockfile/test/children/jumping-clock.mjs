// Loaded before everything, in each thread: the wall clock jumps hours forward and back.
const { now } = Date
let jumps = 0
setInterval(() => jumps++, 400).unref()
Date.now = () => now() + (jumps % 2 === 0 ? 1 : -1) * jumps * 3_600_000
