/** `DATA_DIR` cannot be used; the message says why, and what to do. */
export class DataDirError extends Error {}
