import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { CurrentPrincipal } from '../authentication/decorators/current-principal.decorator.js';
import { RequireScopes } from '../authentication/decorators/require-scopes.decorator.js';
import type { Principal } from '../authentication/principal.js';
import { success } from '../contract/envelope.js';
import { ApiErrors, ApiSuccess, MANAGEMENT, WITH_BODY } from '../openapi/answers.decorator.js';
import { ApiAuthenticated } from '../openapi/security.js';
import { Clock } from '../config/clock.js';
import { ApiKeysService } from './api-keys.service.js';
import { ApiKeyDto, ApiKeyPageDto, IssuedApiKeyDto } from './dto/api-key.dto.js';
import { ApiKeyIdParam } from './dto/api-key-id.param.js';
import { CreateApiKeyDto } from './dto/create-api-key.dto.js';
import { DeletedDto } from './dto/deleted.dto.js';
import { CREATE_EXAMPLES, DELETED_EXAMPLE, ISSUED_EXAMPLE, KEY_EXAMPLE, PAGE_EXAMPLE } from './dto/examples.js';
import { toKeyLimits } from './dto/limits.dto.js';
import { ListApiKeysQuery } from './dto/list-api-keys.query.js';

@Controller('apiKeys')
@RequireScopes('admin')
@ApiAuthenticated('API keys')
export class ApiKeysController {
  constructor(
    private readonly apiKeys: ApiKeysService,
    private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ operationId: 'createApiKey', summary: 'Issue a key; its secret is in this answer alone' })
  @ApiBody({ type: CreateApiKeyDto, examples: CREATE_EXAMPLES })
  @ApiSuccess(IssuedApiKeyDto, 'The key was issued.', ISSUED_EXAMPLE)
  @ApiErrors(...MANAGEMENT, ...WITH_BODY, 'exceeds_issuer')
  async create(@CurrentPrincipal() principal: Principal, @Body() { limits = {}, ...body }: CreateApiKeyDto) {
    const issued = await this.apiKeys.issue(principal, { ...body, limits: toKeyLimits(limits) });
    return success(IssuedApiKeyDto.of(issued));
  }

  @Get('list')
  @ApiOperation({ operationId: 'listApiKeys', summary: 'List your keys, newest first' })
  @ApiSuccess(ApiKeyPageDto, 'A page of the keys that are not revoked.', PAGE_EXAMPLE)
  @ApiErrors(...MANAGEMENT, 'validation_failed')
  async list(@CurrentPrincipal() { ownerId }: Principal, @Query() page: ListApiKeysQuery) {
    const { total, apiKeys } = await this.apiKeys.list(ownerId, page);
    return success<ApiKeyPageDto>({ total, api_keys: apiKeys.map((key) => ApiKeyDto.of(key, this.clock.now())) });
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getApiKey', summary: 'Read one key, even a revoked one' })
  @ApiSuccess(ApiKeyDto, 'The key.', KEY_EXAMPLE)
  @ApiErrors(...MANAGEMENT, 'validation_failed', 'key_not_found')
  async get(@CurrentPrincipal() { ownerId }: Principal, @Param() { id }: ApiKeyIdParam) {
    return success(ApiKeyDto.of(await this.apiKeys.get(ownerId, id), this.clock.now()));
  }

  @Delete(':id')
  @ApiOperation({ operationId: 'deleteApiKey', summary: 'Revoke a key for good' })
  @ApiResponse({ status: 200, description: 'The key was revoked.', type: DeletedDto, example: DELETED_EXAMPLE })
  @ApiErrors(...MANAGEMENT, ...WITH_BODY, 'key_not_found')
  async delete(@CurrentPrincipal() { ownerId }: Principal, @Param() { id }: ApiKeyIdParam): Promise<DeletedDto> {
    await this.apiKeys.revoke(ownerId, id);
    return { message: 'API key has been deleted', status: 'success' };
  }
}
