import { z } from 'zod';
import { InvalidValueError } from './invalid-value.js';

/**
 * Parses a comma-separated list entry by entry. A problem is reported with the entry's number if there are several, and
 * never quotes the entry.
 *
 * @param read throws InvalidValueError
 */
export function listOf<T>(read: (entry: string) => T) {
  return z.string('must be set').transform((text, context) => {
    const entries = text.split(',').map((entry) => entry.trim());
    return entries.flatMap((entry, index) => {
      try {
        return [read(entry)];
      } catch (error) {
        if (!(error instanceof InvalidValueError)) throw error;
        context.addIssue(entries.length > 1 ? `entry ${index + 1}: ${error.message}` : error.message);
        return [];
      }
    });
  });
}
