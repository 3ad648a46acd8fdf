import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiKeysService } from '../api-keys/api-keys.service.js';
import { isDatabaseUnavailable } from '../database/database-unavailable.js';
import { ApiErrors, AUTHENTICATED } from '../openapi/answers.decorator.js';
import { Authenticated } from '../principals/decorators/authenticated.decorator.js';
import type { Tag } from '../openapi/tags.js';
import { SkipLimits } from '../principals/decorators/skip-limits.decorator.js';
import { CurrentPrincipal } from '../principals/decorators/current-principal.decorator.js';
import { TestAuthenticationDto } from './dto/test-authentication.dto.js';
import { Principal } from '../principals/principal.js';

@Controller('apiKeys/testAuthentication')
@Authenticated()
@SkipLimits()
@ApiTags('API keys' satisfies Tag)
export class AuthenticationController {
  constructor(private readonly apiKeys: ApiKeysService) {}

  @Get()
  @ApiOperation({
    operationId: 'testAuthentication',
    summary: 'Show the caller and its rights',
    description: 'For any valid credentials, whatever their scopes. Not charged against the uses or the rate of a key.',
  })
  @ApiResponse({
    status: 200,
    description: 'The credentials are valid, whatever their scopes.',
    type: TestAuthenticationDto,
    example: TestAuthenticationDto.of(Principal.session('0714f35b-08aa-4c2b-9df4-ddaa276d4ed0')),
  })
  @ApiErrors(...AUTHENTICATED, 'validation_failed')
  async test(@CurrentPrincipal() principal: Principal): Promise<TestAuthenticationDto> {
    return TestAuthenticationDto.of(await this.current(principal));
  }

  /** The key from the database, with its uses; from the cache while the database is unavailable. */
  private async current(principal: Principal): Promise<Principal> {
    if (!principal.apiKey) return principal;
    try {
      return Principal.apiKey(await this.apiKeys.read(principal.ownerId, principal.apiKey.id));
    } catch (error) {
      if (isDatabaseUnavailable(error)) return principal;
      throw error;
    }
  }
}
