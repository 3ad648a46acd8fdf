import { applyDecorators, type Type } from '@nestjs/common';
import { ApiProperty, ApiSchema, PartialType } from '@nestjs/swagger';
import { Type as TypeOf } from 'class-transformer';
import { IsBoolean, IsObject, ValidateNested } from 'class-validator';
import type { MissingToo } from '../../http/validation/validation.pipe.js';
import {
  type GivenScopes,
  type GroupFlags,
  SCOPE_TREE,
  type ScopeGroup,
  type Scopes,
} from '../../principals/scopes.js';
import { Optional } from '../../http/validation/optional.decorator.js';

/** The DTO of one group of the tree: each of its flags is required, as a JSON boolean. */
function GroupDto<G extends ScopeGroup>(group: G): Type<GroupFlags<G>> {
  class Group {}
  for (const flag of SCOPE_TREE[group]) {
    IsBoolean({ message: 'must be true or false' })(Group.prototype, flag);
    ApiProperty({ type: Boolean })(Group.prototype, flag);
  }
  return Group as Type<GroupFlags<G>>;
}

@ApiSchema({ name: 'DataScopes' })
export class DataScopesDto extends GroupDto('data') {}
@ApiSchema({ name: 'PinningScopes' })
export class PinningScopesDto extends GroupDto('pinning') {}
@ApiSchema({ name: 'PinNftScopes' })
export class PinNftScopesDto extends GroupDto('pin_nft') {}

/** With `admin: true`, flags may be left out, but not `null`. */
@ApiSchema({ name: 'PartialDataScopes' })
class PartialDataScopesDto extends PartialType(DataScopesDto, { skipNullProperties: false }) {}
@ApiSchema({ name: 'PartialPinningScopes' })
class PartialPinningScopesDto extends PartialType(PinningScopesDto, { skipNullProperties: false }) {}
@ApiSchema({ name: 'PartialPinNftScopes' })
class PartialPinNftScopesDto extends PartialType(PinNftScopesDto, { skipNullProperties: false }) {}

function objectWith(group: ScopeGroup): string {
  return `must be an object with ${SCOPE_TREE[group].join(', ')}`;
}

/** A required group: if it is missing, each of its flags is reported as missing too. */
function RequiredGroup(group: ScopeGroup, dto: Type<unknown>): PropertyDecorator {
  const context: MissingToo = { missingToo: SCOPE_TREE[group] };
  const message = objectWith(group);
  return applyDecorators(
    TypeOf(() => dto),
    ValidateNested({ message }),
    IsObject({ message, context }),
    ApiProperty({ type: dto }),
  );
}

function OptionalGroup(group: ScopeGroup, dto: Type<unknown>): PropertyDecorator {
  const message = objectWith(group);
  return applyDecorators(
    TypeOf(() => dto),
    Optional(),
    ValidateNested({ message }),
    IsObject({ message }),
    ApiProperty({ type: dto, required: false }),
  );
}

/** The full tree: required for every key but admin keys, and the form of effective scopes. */
@ApiSchema({ name: 'Scopes' })
export class ScopesDto implements Scopes {
  @IsBoolean({ message: 'must be true or false' })
  @ApiProperty({ type: Boolean })
  admin: boolean;

  @RequiredGroup('data', DataScopesDto)
  data: DataScopesDto;

  @RequiredGroup('pinning', PinningScopesDto)
  pinning: PinningScopesDto;

  @RequiredGroup('pin_nft', PinNftScopesDto)
  pin_nft: PinNftScopesDto;
}

/** The scopes of an admin key: `admin` implies the rest, which may be left out. */
@ApiSchema({ name: 'AdminScopes' })
export class AdminScopesDto implements GivenScopes {
  @IsBoolean({ message: 'must be true or false' })
  @ApiProperty({ type: Boolean, enum: [true] })
  admin: boolean;

  @OptionalGroup('data', PartialDataScopesDto)
  data?: PartialDataScopesDto;

  @OptionalGroup('pinning', PartialPinningScopesDto)
  pinning?: PartialPinningScopesDto;

  @OptionalGroup('pin_nft', PartialPinNftScopesDto)
  pin_nft?: PartialPinNftScopesDto;
}
