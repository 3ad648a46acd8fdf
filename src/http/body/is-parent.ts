/** Whether a value has members or elements: an object, or a list. */
export function isParent(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
