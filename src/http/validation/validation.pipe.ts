import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { validate, type ValidationError as Violation } from 'class-validator';
import { type ErrorDetail, MissingBodyError, ValidationError } from '../errors/api-error.js';
import { membersOf, readDto } from './dto-reader.js';
import { isOptionalBody } from './optional-body.decorator.js';

/**
 * The `context` of a constraint on an object: the members that are reported as missing, too, if the object itself is
 * missing.
 */
export interface RequiredWithin {
  requiredWithin: readonly string[];
}

/** The `context` of a constraint on a structured value: finds the problems inside it, by their paths within the value. */
export interface ProblemsWithin {
  problemsWithin: (value: unknown) => ErrorDetail[];
}

const NOT_DTOS: ReadonlySet<unknown> = new Set([undefined, String, Boolean, Number, Array, Object, Buffer, Date]);

/** Validates bodies, queries and paths by their DTOs. No value is coerced, and unknown members are rejected. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  /** @throws ValidationError naming every problem */
  async transform(value: unknown, { metatype, type }: ArgumentMetadata): Promise<unknown> {
    if (type === 'custom' || NOT_DTOS.has(metatype)) return value;
    const problems: ErrorDetail[] = [];
    const kind = type === 'query' ? 'parameter' : 'property';
    const dto = readDto(metatype as Type<object>, value ?? {}, { problems, path: '', kind }) as object;
    const violations = await validate(dto, {
      forbidUnknownValues: false,
      validationError: { target: false, value: true },
    });
    const details = [...problems, ...violations.flatMap((one) => detailsOf(one))];
    const lacksBody = type === 'body' && value === undefined && !isOptionalBody(metatype as Type<object>);
    if (lacksBody) throw new MissingBodyError(details.length > 0 ? details : [emptyBody(metatype as Type<object>)]);
    if (details.length > 0) throw new ValidationError(details);
    return dto;
  }
}

/** For a required body without required members. */
function emptyBody(dto: Type<object>): ErrorDetail {
  return { path: '', message: `the body must be an object with any of ${[...membersOf(dto)].join(', ')}` };
}

function detailsOf(violation: Violation, parentPath = ''): ErrorDetail[] {
  const path = parentPath ? `${parentPath}.${violation.property}` : violation.property;
  const children = Array.isArray(violation.value) ? [] : (violation.children ?? []);
  return [...ownDetails(violation, path), ...children.flatMap((child) => detailsOf(child, path))];
}

/**
 * One detail for the property, for the violated constraint that is declared first; or one for each problem inside the
 * value, if a constraint can name them.
 */
function ownDetails({ constraints = {}, contexts = {}, value }: Violation, path: string): ErrorDetail[] {
  const message = constraints[Object.keys(constraints).at(-1) ?? ''];
  if (message === undefined) return [];
  const known = Object.values<Partial<RequiredWithin & ProblemsWithin>>(contexts);
  const within = known.flatMap((context) => context.problemsWithin?.(value) ?? []);
  if (within.length > 0) return within.map((one) => ({ path: `${path}.${one.path}`, message: one.message }));
  const missingToo = value === undefined ? known.flatMap((context) => context.requiredWithin ?? []) : [];
  return [{ path, message }, ...missingToo.map((name) => ({ path: `${path}.${name}`, message: 'is missing' }))];
}
