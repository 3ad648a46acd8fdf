/** The document's tags, in the order in which somebody new needs them. */
export const TAGS = {
  'API keys': 'For clients: issue, find, change, rotate and revoke keys, see what was done with them, and try one.',
  Verification: 'For the services of the platform: may this key do that, now?',
  Gateways: 'For gateways, which ask before they let a request of a client pass.',
  Health: 'For balancers and supervisors: is the process alive, and ready for requests?',
  Operations: 'For whoever runs the service.',
};
export type Tag = keyof typeof TAGS;
