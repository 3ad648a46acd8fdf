/** Runs `act` for each piece of work, at most `callers` at a time. */
export async function runConcurrently<T>(
  callers: number,
  work: Iterable<T>,
  act: (piece: T) => Promise<void>,
): Promise<void> {
  const pieces = [...work].values();
  const caller = async () => {
    for (const piece of pieces) await act(piece);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
