import { applyDecorators, type Type } from '@nestjs/common';
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Type as TypeOf } from 'class-transformer';
import { IsBoolean, IsObject, ValidateNested } from 'class-validator';
import { Optional } from '../../http/validation/optional.decorator.js';
import type { RequiredWithin } from '../../http/validation/validation.pipe.js';
import { type GivenScopes, NEW_SCOPES, SCOPE_TREE, type Scopes, type ScopeTree } from '../../principals/scopes.js';

/** The DTO of the complete tree. The scopes in `newScopes`, by their flat names, are `false` if left out. */
export function fullScopesDto(tree: ScopeTree, newScopes: readonly string[]): Type<Scopes> {
  const defaults: [name: string, dto: Type<object>][] = [];
  class FullScopes {
    [group: string]: object;
    constructor() {
      for (const [group, dto] of defaults) this[group] = new dto();
    }
  }
  AdminFlag({ type: Boolean })(FullScopes.prototype, 'admin');
  for (const [group, flags] of Object.entries(tree)) {
    const required = flags.filter((flag) => !newScopes.includes(`${group}.${flag}`));
    const dto = fullGroupDto(group, flags, required);
    if (required.length === 0) defaults.push([group, dto]);
    Group(dto, flags, required)(FullScopes.prototype, group);
  }
  return FullScopes as Type<object> as Type<Scopes>;
}

/** The DTO of an admin key's scopes, in which every group and flag is optional: `admin` implies them. */
export function adminScopesDto(tree: ScopeTree): Type<GivenScopes> {
  class GivenAdminScopes {}
  AdminFlag({ type: Boolean, enum: [true] })(GivenAdminScopes.prototype, 'admin');
  for (const [group, flags] of Object.entries(tree)) {
    applyDecorators(Optional(), Group(partialGroupDto(group, flags), flags, []))(GivenAdminScopes.prototype, group);
  }
  return GivenAdminScopes as Type<GivenScopes>;
}

/** What every key but an admin key must be given, and what effective scopes are. */
@ApiSchema({ name: 'Scopes' })
export class ScopesDto extends fullScopesDto(SCOPE_TREE, NEW_SCOPES) {}

@ApiSchema({ name: 'AdminScopes' })
export class AdminScopesDto extends adminScopesDto(SCOPE_TREE) {}

function fullGroupDto(group: string, flags: readonly string[], required: readonly string[]): Type<object> {
  const isNew = (flag: string) => !required.includes(flag);
  class FullGroup {
    [flag: string]: boolean;
    constructor() {
      for (const flag of flags.filter(isNew)) this[flag] = false;
    }
  }
  for (const flag of flags) {
    IsFlag()(FullGroup.prototype, flag);
    ApiProperty({ type: Boolean, ...(isNew(flag) && { required: false, default: false }) })(FullGroup.prototype, flag);
  }
  ApiSchema({ name: schemaName(group) })(FullGroup);
  return FullGroup;
}

/** A flag may be left out, but not be `null`. */
function partialGroupDto(group: string, flags: readonly string[]): Type<object> {
  class PartialGroup {}
  for (const flag of flags) {
    applyDecorators(
      Optional(),
      IsFlag(),
      ApiProperty({ type: Boolean, required: false }),
    )(PartialGroup.prototype, flag);
  }
  ApiSchema({ name: `Partial${schemaName(group)}` })(PartialGroup);
  return PartialGroup;
}

/** Where a group is missing, each of its required flags is reported as missing too. */
function Group(dto: Type<object>, flags: readonly string[], required: readonly string[]): PropertyDecorator {
  const message = `must be an object with ${flags.join(', ')}`;
  const context: RequiredWithin = { requiredWithin: required };
  return applyDecorators(
    TypeOf(() => dto),
    ValidateNested({ message }),
    IsObject({ message, context }),
    ApiProperty({ type: dto, required: required.length > 0 }),
  );
}

function AdminFlag(schema: { type: BooleanConstructor; enum?: boolean[] }): PropertyDecorator {
  return applyDecorators(IsFlag(), ApiProperty(schema));
}

function IsFlag(): PropertyDecorator {
  return IsBoolean({ message: 'must be true or false' });
}

/** `pin_nft`: `PinNftScopes`. */
function schemaName(group: string): string {
  const words = group.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}Scopes`;
}
