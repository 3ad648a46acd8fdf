import { Controller, Get, Header, Headers, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../principals/decorators/public.decorator.js';
import { PAGE, DOCUMENT } from '../../openapi/document.js';

/** The entry points of the API. */
const LINKS = { docs: PAGE, openapi: DOCUMENT };

/** The root: redirects browsers to the documentation, and gives programs the links. Outside the `/api` prefix. */
@Public()
@Controller()
@ApiExcludeController()
export class RootController {
  @Get()
  @Header('Vary', 'Accept')
  lead(@Headers('accept') accept = '', @Res({ passthrough: true }) reply: FastifyReply) {
    if (isBrowser(accept)) reply.status(302).header('location', LINKS.docs);
    return { data: LINKS, status: 'success' };
  }
}

/** Browsers accept HTML explicitly (RFC 9110, 12.5.1); programs accept anything, or JSON. */
function isBrowser(accept: string): boolean {
  return /\btext\/html\b/i.test(accept);
}
