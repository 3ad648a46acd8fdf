const optionalBodies = new WeakSet<object>();

/** Lets a request omit the body. Otherwise a body is required even if all of its members are optional. */
export function OptionalBody(): ClassDecorator {
  return (dto) => {
    optionalBodies.add(dto);
  };
}

export function isOptionalBody(dto: object): boolean {
  return optionalBodies.has(dto);
}
