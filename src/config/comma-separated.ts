import { z } from 'zod';
import { InvalidValueError } from './invalid-value.js';

/**
 * A comma-separated list, of which each entry is read by itself. What is wrong is told by the number of its entry, where
 * there are several, and never with what it says.
 *
 * @param read throws InvalidValueError
 */
export function listOf<T>(read: (entry: string) => T) {
  return z.string().transform((text, context) => {
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
