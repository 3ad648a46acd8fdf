import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { validate, type ValidationError as Violation } from 'class-validator';
import { type ErrorDetail, MissingBodyError, ValidationError } from '../errors/api-error.js';
import { membersOf, readDto } from './dto-reader.js';
import { mayBeLeftOut } from './optional-body.decorator.js';

/**
 * What a constraint's `context` may say: the sub-properties that are missing too
 * when the property itself is, so that each is named.
 */
export interface MissingToo {
  missingToo: readonly string[];
}

/** What a constraint's `context` may say too: which offences are inside the value, by their paths from there. */
export interface OffencesWithin {
  offencesWithin: (value: unknown) => ErrorDetail[];
}

const NOT_DTOS: ReadonlySet<unknown> = new Set([undefined, String, Boolean, Number, Array, Object, Buffer, Date]);

/** Checks bodies, queries and paths against their DTO: nothing is coerced, nothing unknown is let in. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  /** @throws ValidationError naming every offence */
  async transform(value: unknown, { metatype, type }: ArgumentMetadata): Promise<unknown> {
    if (type === 'custom' || NOT_DTOS.has(metatype)) return value;
    const unknown: ErrorDetail[] = [];
    const kind = type === 'query' ? 'parameter' : 'property';
    const dto = readDto(metatype as Type<object>, value ?? {}, { offences: unknown, path: '', kind }) as object;
    const violations = await validate(dto, {
      forbidUnknownValues: false,
      validationError: { target: false, value: true },
    });
    const details = [...unknown, ...violations.flatMap((one) => detailsOf(one))];
    const lacksBody = type === 'body' && value === undefined && !mayBeLeftOut(metatype as Type<object>);
    if (lacksBody) throw new MissingBodyError(details.length > 0 ? details : [emptyBody(metatype as Type<object>)]);
    if (details.length > 0) throw new ValidationError(details);
    return dto;
  }
}

/** Of a body of which nothing is needed, but which has to be there. */
function emptyBody(dto: Type<object>): ErrorDetail {
  return { path: '', message: `the body must be an object with any of ${[...membersOf(dto)].join(', ')}` };
}

function detailsOf(violation: Violation, parentPath = ''): ErrorDetail[] {
  const path = parentPath ? `${parentPath}.${violation.property}` : violation.property;
  const children = Array.isArray(violation.value) ? [] : (violation.children ?? []);
  return [...ownDetails(violation, path), ...children.flatMap((child) => detailsOf(child, path))];
}

/**
 * One detail for the property, however many of its constraints were broken: the one declared first. Or one for each
 * offence inside it, where that constraint can name them.
 */
function ownDetails({ constraints = {}, contexts = {}, value }: Violation, path: string): ErrorDetail[] {
  const message = constraints[Object.keys(constraints).at(-1) ?? ''];
  if (message === undefined) return [];
  const known = Object.values<Partial<MissingToo & OffencesWithin>>(contexts);
  const within = known.flatMap((context) => context.offencesWithin?.(value) ?? []);
  if (within.length > 0) return within.map((one) => ({ path: `${path}.${one.path}`, message: one.message }));
  const missingToo = value === undefined ? known.flatMap((context) => context.missingToo ?? []) : [];
  return [{ path, message }, ...missingToo.map((name) => ({ path: `${path}.${name}`, message: 'is missing' }))];
}
