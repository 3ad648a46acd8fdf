/** What the service and its guards decide alike: from the headers of a request to the verdict on a key. */
export { accessRefusal, type AccessRefusal, type AccessRequirements, type AccessState } from './access-refusal.js';
export { changeHandle } from './change-handle.js';
export { API_KEY_HEADER } from './credential-headers.js';
export { parseForwardedAddress } from './forwarded-address.js';
export { addHeader, headerValues, repeatsHeaders } from './header-values.js';
export { type Address, BITS, formatAddress, parseAddress } from './ip-address.js';
export { credentialOf, isCredential, type KeyPair, pairOfCredential } from './key-pair.js';
export { InvalidNetworkError, Network, Networks, parseNetwork } from './networks.js';
export {
  API_KEY_FORMS,
  credentialsIn,
  credentialsInHeaders,
  CredentialsProblem,
  type PresentedCredentials,
  type RequestHeaders,
} from './presented-credentials.js';
export { type Refusal, REFUSALS, UNAUTHENTICATED_REASONS, type UnauthenticatedReason } from './refusals.js';
