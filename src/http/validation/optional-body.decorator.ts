const optional = new WeakSet<object>();

/** A body that may be left out altogether. Where nothing of another body is needed, an empty object still is. */
export function OptionalBody(): ClassDecorator {
  return (dto) => {
    optional.add(dto);
  };
}

export function mayBeLeftOut(dto: object): boolean {
  return optional.has(dto);
}
