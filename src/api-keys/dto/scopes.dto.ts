import type { Type } from '@nestjs/common';
import { ApiProperty, PartialType } from '@nestjs/swagger';
import { Type as TypeOf } from 'class-transformer';
import { Equals, IsBoolean, IsObject, ValidateIf, ValidateNested } from 'class-validator';
import type { MissingToo } from '../../contract/validation.pipe.js';
import { type GivenScopes, type GroupFlags, SCOPE_TREE, type ScopeGroup, type Scopes } from '../scopes.js';

/** The DTO of one group of the tree: each of its flags has to be there, as a real boolean. */
function GroupDto<G extends ScopeGroup>(group: G): Type<GroupFlags<G>> {
  class Group {}
  for (const flag of SCOPE_TREE[group]) {
    IsBoolean({ message: 'must be true or false' })(Group.prototype, flag);
    ApiProperty({ type: Boolean })(Group.prototype, flag);
  }
  return Group as Type<GroupFlags<G>>;
}

export class DataScopesDto extends GroupDto('data') {}
export class PinningScopesDto extends GroupDto('pinning') {}
export class PinNftScopesDto extends GroupDto('pin_nft') {}

/** With `admin: true`, flags may be left out; `null` is not the same as left out. */
class PartialDataScopesDto extends PartialType(DataScopesDto, { skipNullProperties: false }) {}
class PartialPinningScopesDto extends PartialType(PinningScopesDto, { skipNullProperties: false }) {}
class PartialPinNftScopesDto extends PartialType(PinNftScopesDto, { skipNullProperties: false }) {}

/** A group that has to be there: where it is missing, each of its flags is named as missing too. */
function RequiredGroup(group: ScopeGroup, dto: Type<unknown>): PropertyDecorator {
  const context: MissingToo = { missingToo: SCOPE_TREE[group] };
  return (prototype, property) => {
    TypeOf(() => dto)(prototype, property);
    ValidateNested({ message: 'must be an object' })(prototype, property);
    IsObject({ message: `must be an object with ${SCOPE_TREE[group].join(', ')}`, context })(prototype, property);
    ApiProperty({ type: dto })(prototype, property);
  };
}

function OptionalGroup(dto: Type<unknown>): PropertyDecorator {
  return (prototype, property) => {
    TypeOf(() => dto)(prototype, property);
    ValidateIf((_, value) => value !== undefined)(prototype, property);
    ValidateNested({ message: 'must be an object' })(prototype, property);
    IsObject({ message: 'must be an object' })(prototype, property);
    ApiProperty({ type: dto, required: false })(prototype, property);
  };
}

/** The full tree, as every key but an admin key has to be given it, and as effective scopes are shown. */
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

/** The scopes of an admin key, which implies the rest: it may be left out. */
export class AdminScopesDto implements GivenScopes {
  @Equals(true)
  @ApiProperty({ type: Boolean, enum: [true] })
  admin: boolean;

  @OptionalGroup(PartialDataScopesDto)
  data?: PartialDataScopesDto;

  @OptionalGroup(PartialPinningScopesDto)
  pinning?: PartialPinningScopesDto;

  @OptionalGroup(PartialPinNftScopesDto)
  pin_nft?: PartialPinNftScopesDto;
}
