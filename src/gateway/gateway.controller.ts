import { All, Controller, Get, HttpCode, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Route, Routes } from '../http/route-config.js';
import { ApiCredentials } from '../openapi/security.js';
import type { Tag } from '../openapi/tags.js';
import { Public } from '../principals/decorators/public.decorator.js';
import { ApiAuthorizeAnswers, AUTHORIZE_NOTE } from './authorize-answers.decorator.js';
import { Authorizer } from './authorizer.js';

/**
 * For gateways, which ask whether a client's request may pass, with the client's own headers: these are the credentials,
 * which no guard checks. Gateways read only the status and the headers, so the body is empty.
 */
@Public()
@Controller('apiKeys/authorize')
@Routes({ load: 'verification', isPlatformOnly: true })
@ApiTags('Gateways' satisfies Tag)
@ApiCredentials()
export class GatewayController {
  constructor(private readonly authorizer: Authorizer) {}

  @Get()
  @ApiOperation({ operationId: 'authorizeRequest', summary: 'May this request pass?', description: AUTHORIZE_NOTE })
  @ApiAuthorizeAnswers()
  async authorize(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    reply.headers(await this.authorizer.authorize(request));
  }

  /**
   * For gateways that send the original method, and the original path under a prefix: the query is the client's own.
   * Not in the OpenAPI document, where a path parameter cannot contain slashes.
   */
  @All(['at', 'at/*'])
  @HttpCode(200)
  @Route({ ignoresBody: true })
  @ApiExcludeEndpoint()
  async authorizeAt(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    reply.headers(await this.authorizer.authorizeAt(request));
  }
}
