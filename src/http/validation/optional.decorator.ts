import { ValidateIf } from 'class-validator';

/** A member that may be omitted. Unlike with `@IsOptional()`, its constraints apply to `null`. */
export function Optional(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}
