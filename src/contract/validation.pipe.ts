import { type ValidationError as Violation, ValidationPipe } from '@nestjs/common';
import { type ErrorDetail, ValidationError } from './api-error.js';

/**
 * What a constraint's `context` may say: the sub-properties that are missing too
 * when the property itself is, so that each is named.
 */
export interface MissingToo {
  missingToo: readonly string[];
}

/** Checks bodies, queries and paths against their DTO: nothing is coerced, nothing unknown is let in. */
export function createValidationPipe(): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    validationError: { target: false, value: true },
    exceptionFactory: (violations) => new ValidationError(violations.flatMap((one) => detailsOf(one))),
  });
}

function detailsOf(violation: Violation, parentPath = ''): ErrorDetail[] {
  const path = parentPath ? `${parentPath}.${violation.property}` : violation.property;
  const children = Array.isArray(violation.value) ? [] : (violation.children ?? []);
  return [...ownDetails(violation, path), ...children.flatMap((child) => detailsOf(child, path))];
}

/** One detail for the property, however many of its constraints were broken: the one declared first. */
function ownDetails({ constraints = {}, contexts = {}, value }: Violation, path: string): ErrorDetail[] {
  const names = Object.keys(constraints);
  const message = constraints['whitelistValidation'] ? 'is not a known property' : constraints[names.at(-1) ?? ''];
  if (message === undefined) return [];
  const missing = value === undefined ? Object.values<Partial<MissingToo>>(contexts) : [];
  const missingToo = missing.flatMap((context) => context.missingToo ?? []);
  return [{ path, message }, ...missingToo.map((name) => ({ path: `${path}.${name}`, message: 'is missing' }))];
}
