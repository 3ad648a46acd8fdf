import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Type as TypeOf } from 'class-transformer';
import { IsObject, ValidateNested } from 'class-validator';
import { SCOPE_TREE } from '../../principals/scopes.js';
import { AdminScopesDto, ScopesDto } from './scopes.dto.js';

/** Scopes in the OpenAPI document. */
export function ApiScopes({ required = true } = {}): PropertyDecorator {
  return (prototype, property) => {
    ApiExtraModels(ScopesDto, AdminScopesDto)(prototype.constructor);
    const anyOf = [ScopesDto, AdminScopesDto].map((dto) => ({ $ref: getSchemaPath(dto) }));
    ApiProperty({ anyOf, required })(prototype, property);
  };
}

const message = `must be an object with admin, ${Object.keys(SCOPE_TREE).join(', ')}; or {"admin": true} alone`;

/** The scopes in a request: `admin` decides which DTO validates them. */
export function KeyScopes({ required = true } = {}): PropertyDecorator {
  return applyDecorators(
    TypeOf((options) => scopesDto(options?.object['scopes'])),
    ValidateNested({ message }),
    IsObject({ message }),
    ApiScopes({ required }),
  );
}

/** If `admin` is not a boolean, only that is reported: whether the rest is required depends on it. */
function scopesDto(given: unknown): Type<AdminScopesDto | ScopesDto> {
  const mayBeAdmin = typeof given === 'object' && given !== null && 'admin' in given && given.admin !== false;
  return mayBeAdmin ? AdminScopesDto : ScopesDto;
}
