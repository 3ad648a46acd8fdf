/** The tags of the document, in the order in which newcomers need them. */
export const TAGS = {
  'API keys': 'For clients: issue, find, change, rotate, revoke and test keys, and see their usage and events.',
  Verification: 'For services of the platform: may this key do that, now?',
  Gateways: 'For gateways: may this request of a client pass?',
  Health: 'For balancers and supervisors: is the process alive, and ready for requests?',
  Operations: 'For operators of the service.',
};
export type Tag = keyof typeof TAGS;
