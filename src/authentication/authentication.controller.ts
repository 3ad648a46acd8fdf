import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { ApiErrors, AUTHENTICATED } from '../openapi/answers.decorator.js';
import { ApiAuthenticated } from '../openapi/security.js';
import { RequireScopes } from './decorators/require-scopes.decorator.js';
import { CurrentPrincipal } from './decorators/current-principal.decorator.js';
import { TestAuthenticationDto } from './dto/test-authentication.dto.js';
import { Principal } from './principal.js';

@Controller('apiKeys/testAuthentication')
@RequireScopes([])
@ApiAuthenticated('API keys')
export class AuthenticationController {
  @Get()
  @ApiOperation({ operationId: 'testAuthentication', summary: 'Tell who is calling and what it may do' })
  @ApiResponse({
    status: 200,
    description: 'The credentials are valid, whatever their scopes.',
    type: TestAuthenticationDto,
    example: TestAuthenticationDto.of(Principal.session('0714f35b-08aa-4c2b-9df4-ddaa276d4ed0')),
  })
  @ApiErrors(...AUTHENTICATED)
  test(@CurrentPrincipal() principal: Principal): TestAuthenticationDto {
    return TestAuthenticationDto.of(principal);
  }
}
