import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtension, ApiExtraModels, ApiSchema, getSchemaPath } from '@nestjs/swagger';

const MEMBERS = 'x-one-of';

/**
 * Documents a class as one of several others: its schema is their union. They are to be told apart by properties with
 * different values (`enum`), by which a compiler narrows them.
 */
export function ApiUnion(name: string, ...members: Type[]): ClassDecorator {
  const references = members.map((member) => ({ $ref: getSchemaPath(member) }));
  return applyDecorators(ApiSchema({ name }), ApiExtraModels(...members), ApiExtension(MEMBERS, references));
}

/** A class has properties, which the generator writes down even where there are none: a union is its members alone. */
export function asUnion(schema: object): object {
  return MEMBERS in schema ? { oneOf: schema[MEMBERS] } : schema;
}
