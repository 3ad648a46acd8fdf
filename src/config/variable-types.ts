import { z } from 'zod';
import { InvalidValueError } from './invalid-value.js';

/** One of several texts. */
export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: `must be one of ${values.join(', ')}` });
}

/** A whole number from `min` to `max`, in decimal digits. */
export function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

/** A value parsed by a reader, whose InvalidValueError becomes the problem. */
export function parsedBy<T>(read: (text: string) => T) {
  return z.string('must be set').transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      context.addIssue(error.message);
      return z.NEVER;
    }
  });
}

/** Validates a URL and keeps its text: the client that connects parses it again. */
export function connectionUrl(read: (url: string) => unknown) {
  return parsedBy((url) => {
    read(url);
    return url;
  });
}
