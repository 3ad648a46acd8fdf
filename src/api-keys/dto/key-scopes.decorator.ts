import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Type as TypeOf } from 'class-transformer';
import { IsObject, ValidateNested } from 'class-validator';
import { AdminScopesDto, ScopesDto } from './scopes.dto.js';

/** Scopes in the OpenAPI document. */
export function ApiScopes({ required = true } = {}): PropertyDecorator {
  return (prototype, property) => {
    ApiExtraModels(ScopesDto, AdminScopesDto)(prototype.constructor);
    const anyOf = [ScopesDto, AdminScopesDto].map((dto) => ({ $ref: getSchemaPath(dto) }));
    ApiProperty({ anyOf, required })(prototype, property);
  };
}

/** Scopes as a client gives them in `scopes`: which DTO they have to fit is decided by `admin`. */
export function KeyScopes({ required = true } = {}): PropertyDecorator {
  return applyDecorators(
    TypeOf((options) => scopesDto(options?.object['scopes'])),
    ValidateNested({ message: 'must be an object' }),
    IsObject({ message: 'must be an object' }),
    ApiScopes({ required }),
  );
}

function scopesDto(given: unknown): Type<AdminScopesDto | ScopesDto> {
  const isAdmin = typeof given === 'object' && given !== null && 'admin' in given && given.admin === true;
  return isAdmin ? AdminScopesDto : ScopesDto;
}
