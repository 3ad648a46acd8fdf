import { listOf } from './comma-separated.js';
import { readNetwork, readServiceToken } from './value-readers.js';
import { oneOf } from './variable-types.js';

// Variables that the service and the sidecar both have

export const logLevel = oneOf(['error', 'warn', 'info', 'debug']);

export const networkList = listOf(readNetwork);

export const serviceTokenList = listOf(readServiceToken).refine(
  (tokens) => hasNoDuplicates(tokens.map(({ name }) => name)),
  'must not repeat a name',
);

export function hasNoDuplicates(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
