import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { ApiErrors, AUTHENTICATED } from '../openapi/answers.decorator.js';
import { ApiAuthenticated } from '../openapi/security.js';
import { CurrentPrincipal } from './decorators/current-principal.decorator.js';
import { TestAuthenticationDto } from './dto/test-authentication.dto.js';
import type { Principal } from './principal.js';

@Controller('apiKeys/testAuthentication')
@ApiAuthenticated('API keys')
export class AuthenticationController {
  @Get()
  @ApiOperation({ operationId: 'testAuthentication', summary: 'Tell who is calling and what it may do' })
  @ApiResponse({ status: 200, type: TestAuthenticationDto, description: 'The credentials are valid, whatever their scopes.' })
  @ApiErrors(...AUTHENTICATED)
  test(@CurrentPrincipal() principal: Principal): TestAuthenticationDto {
    return TestAuthenticationDto.of(principal);
  }
}
