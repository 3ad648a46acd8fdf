/** What the configuration leads to cannot be used as it is; the message names it, and says why and what to do. */
export class StartError extends Error {}
