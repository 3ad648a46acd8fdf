import { ValidateIf } from 'class-validator';

/** A member that may be left out: its constraints apply where it is there, `null` included. */
export function Optional(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}
