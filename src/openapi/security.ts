import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity, type DocumentBuilder } from '@nestjs/swagger';

const SESSION = 'session';
const SERVICE = 'service';
const CREDENTIAL = 'credential';
const BASIC = 'basic';
const KEY_PAIR = { pinning_api_key: [], pinning_secret_key: [] };

const SCHEMES: Record<string, Parameters<DocumentBuilder['addSecurity']>[1]> = {
  [SESSION]: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A session (RFC 7519)' },
  [SERVICE]: { type: 'http', scheme: 'bearer', description: 'The token of a service (`SERVICE_TOKENS`)' },
  pinning_api_key: {
    type: 'apiKey',
    in: 'header',
    name: 'pinning_api_key',
    description: "A key's `api_key`; requires `pinning_secret_key`, too",
  },
  pinning_secret_key: {
    type: 'apiKey',
    in: 'header',
    name: 'pinning_secret_key',
    description: 'The `secret_key` of the same key',
  },
  [CREDENTIAL]: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: '<api_key>.<secret_key>',
    description: 'An API key in one string: its `credential`',
  },
  [BASIC]: {
    type: 'http',
    scheme: 'basic',
    description: 'An API key (RFC 7617): `api_key` as user, `secret_key` as password',
  },
};

/** Documents that the routes of a controller accept a session, or an API key in any of its three forms. */
export function ApiCredentials(): ClassDecorator {
  return applyDecorators(ApiSecurity(SESSION), ApiSecurity(KEY_PAIR), ApiSecurity(CREDENTIAL), ApiSecurity(BASIC));
}

/** Documents that the routes of a controller require the token of a service of the platform. */
export function ApiServiceToken(): ClassDecorator {
  return ApiBearerAuth(SERVICE);
}

export function addSecuritySchemes(builder: DocumentBuilder): DocumentBuilder {
  for (const [name, scheme] of Object.entries(SCHEMES)) builder.addSecurity(name, scheme);
  return builder;
}
