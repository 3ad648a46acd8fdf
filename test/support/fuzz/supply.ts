import type { Answer, Client } from '../client.js';
import { basicOf, bearerOf, documentedBody, type IssuedKey, issueKey, pairHeaders, powerlessBody } from '../keys.js';
import { sessionOf } from '../sessions.js';
import { serviceHeaders, verify } from '../verification.js';
import type { FuzzRequest } from './requests.js';

const FEWEST = 20;
const MOST = 200;

type Headers = Record<string, string | string[]>;

/** Keys in every state, by the name of the state. They are used, but never changed. */
type KeysInStates = Record<
  'admin' | 'limited' | 'weak' | 'elsewhere' | 'spent' | 'hurried' | 'disabled' | 'pending' | 'expiring' | 'revoked',
  IssuedKey
>;

/** Existing keys for requests to work on, and credentials of every kind. */
export class Supply {
  private refilling: Promise<void> | undefined;

  private constructor(
    private readonly client: Client,
    private readonly states: KeysInStates,
    /** Probably live keys of the owner that calls most. */
    private readonly own: IssuedKey[],
    private readonly foreign: IssuedKey[],
  ) {
    this.credentials = credentialsOf(states);
  }

  static async open(client: Client): Promise<Supply> {
    const supply = new Supply(client, await issueStates(client), [], [await issueKey(client, 'bob')]);
    await supply.refill();
    return supply;
  }

  /** A key to work on, by any number. */
  key(number: number): IssuedKey {
    return this.own[number % this.own.length] as IssuedKey;
  }

  /** Any key's pair, in any state. */
  anyKey(number: number): IssuedKey {
    const rest = [...Object.values(this.states), ...this.foreign];
    return number % 3 === 0 ? (rest[number % rest.length] as IssuedKey) : this.key(number);
  }

  /** The id of another owner's key. */
  foreignId(): string {
    return (this.foreign[0] as IssuedKey).id;
  }

  revokedId(): string {
    return this.states.revoked.id;
  }

  /** Credentials by the name of their kind. */
  readonly credentials: Record<string, Headers>;

  /** Adds the keys that a request issued, and removes those that it revoked. */
  learn({ method, path, headers, body }: FuzzRequest, answer: Answer): void {
    const isOwn = headers['authorization'] !== this.credentials['otherSession']?.['authorization'];
    if (!isOwn) return;
    // Deleted by this request, or by an earlier one in a cascade
    if (answer.status === 404 || (answer.status === 200 && method === 'DELETE'))
      this.remove(({ id }) => path.toLowerCase().includes(id));
    if (answer.status !== 200) return;
    if (path.includes('/report-leak')) this.remove(({ api_key }) => api_key === (body as IssuedKey).api_key);
    const issued = answer.body?.data as IssuedKey | undefined;
    if (issued?.secret_key === undefined) return;
    this.remove(({ id }) => id === issued.id);
    this.add(issued);
  }

  private add(key: IssuedKey): void {
    this.own.push(key);
    if (this.own.length > MOST) this.own.shift();
  }

  private remove(isGone: (key: IssuedKey) => boolean): void {
    const kept = this.own.filter((key) => !isGone(key));
    this.own.splice(0, this.own.length, ...kept);
  }

  /** Keeps a stock of keys, since requests delete them constantly. */
  async refill(): Promise<void> {
    if (this.own.length >= FEWEST) return;
    this.refilling ??= this.issue(2 * FEWEST).finally(() => (this.refilling = undefined));
    await this.refilling;
  }

  private async issue(count: number): Promise<void> {
    for (let issued = 0; issued < count; issued++) this.add(await issueKey(this.client, 'ann'));
  }
}

async function issueStates(client: Client): Promise<KeysInStates> {
  const issue = (limits: object = {}, body: object = documentedBody) =>
    issueKey(client, 'ann', Object.assign({}, body, { limits }));
  const soon = () => new Date(Date.now() + 5_000).toISOString();
  const states = {
    admin: await issue(),
    limited: await issue({ expires_at: '2099-01-01T00:00:00Z', allowed_cidrs: ['127.0.0.0/8'] }),
    weak: await issue({}, powerlessBody),
    elsewhere: await issue({ allowed_cidrs: ['192.0.2.0/24'] }),
    spent: await issue({ max_uses: 1 }),
    hurried: await issue({ rate_limit: { requests: 1, window_seconds: 2_678_400 } }),
    disabled: await issue(),
    pending: await issue({ not_before: '2099-01-01T00:00:00Z' }),
    expiring: await issue({ expires_at: soon() }),
    revoked: await issue(),
  };
  await client.call('PATCH', `/api/apiKeys/${states.disabled.id}`, {
    headers: sessionOf('ann'),
    body: { enabled: false },
  });
  await client.delete(`/api/apiKeys/${states.revoked.id}`, sessionOf('ann'));
  for (const key of [states.spent, states.hurried]) await verify(client, key);
  return states;
}

function credentialsOf(states: KeysInStates): Record<string, Headers> {
  const session = sessionOf('ann');
  return {
    none: {},
    session,
    otherSession: sessionOf('bob'),
    service: serviceHeaders,
    ...Object.fromEntries(Object.entries(states).map(([state, key]) => [state, pairHeaders(key)])),
    hyphens: { 'pinning-api-key': states.admin.api_key, 'Pinning-Secret-Key': states.admin.secret_key },
    both: { ...session, ...pairHeaders(states.admin) },
    twice: { authorization: [session.authorization, session.authorization] },
    half: { pinning_api_key: states.admin.api_key },
    credential: { authorization: bearerOf(states.admin) },
    basic: { authorization: basicOf(states.admin) },
    halfCredential: { authorization: `Bearer ${states.admin.api_key}` },
    twoWays: { authorization: bearerOf(states.admin), ...pairHeaders(states.admin) },
    nonsense: { authorization: 'Bearer of.bad.news' },
    wrongSecret: pairHeaders({ ...states.admin, secret_key: states.weak.secret_key }),
  };
}
