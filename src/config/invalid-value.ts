/** A variable's value is invalid. The message continues its name (`must be …`) and quotes no secret. */
export class InvalidValueError extends Error {}
