import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ScopesDto } from '../../api-keys/dto/scopes.dto.js';
import type { Scopes } from '../../api-keys/scopes.js';
import type { Principal } from '../principal.js';

/** What the caller effectively is; `id` and `name` are the key's, and `null` for a session. */
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
}

/** The documented message, which clients may compare, and who is calling. */
@ApiSchema({ name: 'TestAuthentication' })
export class TestAuthenticationDto {
  @ApiProperty({ example: 'Congratulations! You are communicating with the Web3 IPFS API!' })
  message: string;

  @ApiProperty({ type: PrincipalDto })
  data: PrincipalDto;

  @ApiProperty({ enum: ['success'] })
  status: 'success';

  static of({ apiKey, ownerId, effectiveScopes }: Principal): TestAuthenticationDto {
    return {
      message: 'Congratulations! You are communicating with the Web3 IPFS API!',
      data: { id: apiKey?.id ?? null, name: apiKey?.name ?? null, owner_id: ownerId, scopes: effectiveScopes },
      status: 'success',
    };
  }
}
