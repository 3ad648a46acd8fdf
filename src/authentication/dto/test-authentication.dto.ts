import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ScopesDto } from '../../api-keys/dto/scopes.dto.js';
import { LimitsDto } from '../../api-keys/dto/limits.dto.js';
import { NO_LIMITS } from '../../principals/key-limits.js';
import type { Scopes } from '../../principals/scopes.js';
import type { Principal } from '../../principals/principal.js';

/** The caller and its effective rights; `id` and `name` are those of the key, `null` for a session. */
@ApiSchema({ name: 'Principal' })
class PrincipalDto {
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  id: string | null;

  @ApiProperty({ type: String, nullable: true })
  name: string | null;

  @ApiProperty()
  owner_id: string;

  @ApiProperty({ type: ScopesDto })
  scopes: Scopes;

  @ApiProperty({ type: LimitsDto })
  limits: LimitsDto;

  @ApiProperty({ type: 'integer', nullable: true, description: 'The uses of the key so far; `null` for a session' })
  uses: number | null;
}

/** The caller, with the documented message, which clients may compare. */
@ApiSchema({ name: 'TestAuthentication' })
export class TestAuthenticationDto {
  @ApiProperty({ example: 'Congratulations! You are communicating with the Web3 IPFS API!' })
  message: string;

  @ApiProperty({ type: PrincipalDto })
  data: PrincipalDto;

  @ApiProperty({ enum: ['success'] })
  status: 'success';

  static of({ apiKey, ownerId, effectiveScopes }: Principal): TestAuthenticationDto {
    const { id, name, limits, uses } = apiKey ?? { id: null, name: null, limits: NO_LIMITS, uses: null };
    return {
      message: 'Congratulations! You are communicating with the Web3 IPFS API!',
      data: { id, name, owner_id: ownerId, scopes: effectiveScopes, limits: LimitsDto.of(limits), uses },
      status: 'success',
    };
  }
}
