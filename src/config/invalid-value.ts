/** What a variable holds cannot be used; the message says why, as what follows its name, and quotes nothing secret. */
export class InvalidValueError extends Error {}
