import type { Type } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Type as TypeOf } from 'class-transformer';
import { IsObject, ValidateNested } from 'class-validator';
import { AdminScopesDto, ScopesDto } from './scopes.dto.js';

/** The shape of scopes in the OpenAPI document. */
export function ApiScopes(): PropertyDecorator {
  return (prototype, property) => {
    ApiExtraModels(AdminScopesDto, ScopesDto)(prototype.constructor);
    ApiProperty({ anyOf: [{ $ref: getSchemaPath(ScopesDto) }, { $ref: getSchemaPath(AdminScopesDto) }] })(
      prototype,
      property,
    );
  };
}

/** Scopes as a client gives them: which DTO they have to fit is decided by `admin`. */
export function KeyScopes(): PropertyDecorator {
  return (prototype, property) => {
    TypeOf((options) => scopesDto((options?.object as Record<string | symbol, unknown>)[property]))(prototype, property);
    ValidateNested({ message: 'must be an object' })(prototype, property);
    IsObject({ message: 'must be an object' })(prototype, property);
    ApiScopes()(prototype, property);
  };
}

function scopesDto(given: unknown): Type<AdminScopesDto | ScopesDto> {
  const isAdmin = typeof given === 'object' && given !== null && 'admin' in given && given.admin === true;
  return isAdmin ? AdminScopesDto : ScopesDto;
}
