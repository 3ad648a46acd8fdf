import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity, ApiTags, type DocumentBuilder } from '@nestjs/swagger';

const SESSION = 'session';
const SERVICE = 'service';
const KEY_PAIR = { pinning_api_key: [], pinning_secret_key: [] };

/** Documents that a controller's routes take a session, or a key pair in its two headers. */
export function ApiAuthenticated(tag: string): ClassDecorator {
  return applyDecorators(ApiTags(tag), ApiSecurity(SESSION), ApiSecurity(KEY_PAIR));
}

/** Documents that a controller's routes take the token of a service of the platform. */
export function ApiForServices(tag: string): ClassDecorator {
  return applyDecorators(ApiTags(tag), ApiBearerAuth(SERVICE));
}

export function addSecuritySchemes(builder: DocumentBuilder): DocumentBuilder {
  return builder
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A session (RFC 7519)' },
      SESSION,
    )
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A service token' }, SERVICE)
    .addApiKey({ type: 'apiKey', in: 'header', name: 'pinning_api_key' }, 'pinning_api_key')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'pinning_secret_key' }, 'pinning_secret_key');
}
