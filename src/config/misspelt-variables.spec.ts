import { misspeltVariables } from './misspelt-variables.js';
import { VARIABLE_NAMES } from './variables.js';

const misspelt = (source: NodeJS.ProcessEnv) => misspeltVariables(source, VARIABLE_NAMES);

it.each([
  ['REDIS_URI', 'REDIS_URL'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['TRUSTED_PROXY', 'TRUSTED_PROXIES'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['JWT_JWK_URL', 'JWT_JWKS_URL'],
  ['cors_origins', 'CORS_ORIGINS'],
])('suggests, for %s, the variable %s, without quoting the value', (name, meant) => {
  expect(misspelt({ [name]: 'hunter2' })).toEqual([
    `${name} is not a variable of this service; ${meant} was probably meant`,
  ]);
});

it('ignores the variables of other programs, and misspellings of variables that are set', () => {
  const usual = {
    PATH: '/bin',
    HOME: '/root',
    HOSTNAME: 'a',
    USER: 'root',
    LANG: 'C',
    SHLVL: '1',
    NODE_OPTIONS: '',
    NODE_VERSION: '24',
    npm_lifecycle_event: 'start',
    KUBERNETES_PORT: 'tcp://10.0.0.1:443',
    POSTGRES_PORT_5432_TCP: 'x',
  };
  expect(misspelt({ ...usual, REDIS_URI: 'x', REDIS_URL: 'redis://localhost' })).toEqual([]);
});
