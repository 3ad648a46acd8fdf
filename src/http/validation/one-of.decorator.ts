import { ValidateBy } from 'class-validator';
import { probablyMeant } from '../../suggestions/suggestions.js';

/** One of some words. The message lists them, with a suggestion. */
export function OneOf(words: readonly string[]): PropertyDecorator {
  return ValidateBy({
    name: 'oneOf',
    validator: {
      validate: (value) => words.includes(value as string),
      defaultMessage: (args) => `must be one of ${words.join(', ')}${probablyMeant(args?.value, words)}`,
    },
  });
}
