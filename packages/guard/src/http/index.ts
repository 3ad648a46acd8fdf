/** How the service and its guards answer alike: request ids, headers, and the words for each refusal. */
export { type NamedRate, rateLimitHeaders } from './rate-limit-headers.js';
export { missingScopes, REFUSAL_MESSAGES, tooManyRequests } from './refusal-messages.js';
export { requestId } from './request-id.js';
export { CHALLENGE, COMMON_HEADERS, JSON_TYPE } from './response-headers.js';
