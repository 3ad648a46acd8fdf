import { secretsIn } from './support/log-search.js';

// support/global-teardown.js searches the logs of all tests for secrets after the last one
it('finds a secret wherever it is in a log', () => {
  const secrets = ['w3s_Zk4pQ9xWm2LtB7vYcR1nHsD6fJgK3aUeXoTi5wP0', 'a-service-token-of-at-least-32-characters'];
  const log = `log {"body":"${secrets[0]}"} and other words\nwarn ...${secrets[1]}`;
  expect(secretsIn(log, secrets)).toEqual(secrets);
  expect(secretsIn(log.replace('Zk4p', 'Zk4q').replace('a-service', 'the'), secrets)).toEqual([]);
});
