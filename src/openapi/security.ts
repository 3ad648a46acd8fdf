import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity, type DocumentBuilder } from '@nestjs/swagger';

const SESSION = 'session';
const SERVICE = 'service';
const CREDENTIAL = 'credential';
const BASIC = 'basic';
const KEY_PAIR = { pinning_api_key: [], pinning_secret_key: [] };

/** Documents that the routes of a controller accept a session, or an API key in any of its three forms. */
export function ApiCredentials(): ClassDecorator {
  return applyDecorators(ApiSecurity(SESSION), ApiSecurity(KEY_PAIR), ApiSecurity(CREDENTIAL), ApiSecurity(BASIC));
}

/** Documents that the routes of a controller require the token of a service of the platform. */
export function ApiServiceToken(): ClassDecorator {
  return ApiBearerAuth(SERVICE);
}

export function addSecuritySchemes(builder: DocumentBuilder): DocumentBuilder {
  return (
    builder
      .addBearerAuth(
        { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A session (RFC 7519)' },
        SESSION,
      )
      // Not `addBearerAuth`, which declares every token a JWT
      .addSecurity(SERVICE, {
        type: 'http',
        scheme: 'bearer',
        description: 'The token of a service (`SERVICE_TOKENS`)',
      })
      .addApiKey(
        {
          type: 'apiKey',
          in: 'header',
          name: 'pinning_api_key',
          description: "A key's `api_key`; requires `pinning_secret_key`, too",
        },
        'pinning_api_key',
      )
      .addApiKey(
        { type: 'apiKey', in: 'header', name: 'pinning_secret_key', description: 'The `secret_key` of the same key' },
        'pinning_secret_key',
      )
      .addSecurity(CREDENTIAL, {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: '<api_key>.<secret_key>',
        description: 'An API key in one string: its `credential`',
      })
      .addSecurity(BASIC, {
        type: 'http',
        scheme: 'basic',
        description: 'An API key (RFC 7617): `api_key` as user, `secret_key` as password',
      })
  );
}
