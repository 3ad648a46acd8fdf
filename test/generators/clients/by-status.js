/** The outcome of a call whose answer is a union discriminated by its status. */
export const BY_STATUS = `
type DataOf<A, S> = Extract<A, { status: S }> extends { data: infer D } ? D : undefined;
const outcome = async <A extends { status: number; data?: unknown }>(answer: Promise<A>) => {
  const { status, data } = await answer;
  return status === 200 || status === 202
    ? { status, body: data as DataOf<A, 200 | 202>, failure: undefined }
    : { status, body: undefined, failure: data as DataOf<A, 401> };
};`;
