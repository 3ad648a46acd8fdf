import { ValidateBy } from 'class-validator';
import { probablyMeant } from '../../suggestions/suggestions.js';

/** One of some words; what is none of them is told which there are, and which was probably meant. */
export function OneOf(words: readonly string[]): PropertyDecorator {
  return ValidateBy({
    name: 'oneOf',
    validator: {
      validate: (value) => words.includes(value as string),
      defaultMessage: (args) => `must be one of ${words.join(', ')}${probablyMeant(args?.value, words)}`,
    },
  });
}
