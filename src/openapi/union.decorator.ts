import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtension, ApiExtraModels, ApiSchema, getSchemaPath } from '@nestjs/swagger';

const MEMBERS = 'x-one-of';

/**
 * Documents a class as the union of several others. A property with different values (`enum`) must discriminate between
 * them, so that compilers can narrow the type.
 */
export function ApiUnion(name: string, ...members: Type[]): ClassDecorator {
  const references = members.map((member) => ({ $ref: getSchemaPath(member) }));
  return applyDecorators(ApiSchema({ name }), ApiExtraModels(...members), ApiExtension(MEMBERS, references));
}

/** The generator writes an object schema for every class: replaces it with the union of its members. */
export function asUnion(schema: object): object {
  return MEMBERS in schema ? { oneOf: schema[MEMBERS] } : schema;
}
