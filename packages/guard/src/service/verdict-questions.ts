import type { KeyPair } from '../decision/index.js';
import { InvalidNetworkError } from '../decision/index.js';
import type { Knowledge } from '../knowledge/knowledge.js';
import type { PairId, Question } from '../knowledge/questions.js';
import type { Requirements } from '../input/required.js';
import type { StateOfGuard } from '../state.js';
import type { Statistics } from '../statistics/statistics.js';
import type { GuardVerdict } from '../types.js';
import { GuardUnavailableError, unavailable } from '../unavailable-error.js';
import { readVerdict } from '../verdicts.js';
import type { Answer } from './answer.js';
import type { ServiceClient } from './service-client.js';
import { readGrant, UnexpectedAnswerError } from './wire.js';

/** The service does not answer if it takes longer. */
const LIMIT_MS = 500;

/** Asks the service for verdicts, and keeps what it grants. */
export class VerdictQuestions {
  constructor(
    private readonly client: ServiceClient,
    private readonly knowledge: Knowledge,
    private readonly state: StateOfGuard,
    private readonly statistics: Statistics,
  ) {}

  /**
   * @throws NoAnswerError if the service does not answer; GuardUnavailableError if it can't decide; TypeError if it finds
   *   the requirements invalid
   */
  async ask(pair: KeyPair, id: PairId, requirements: Requirements): Promise<GuardVerdict> {
    const question = this.knowledge.question();
    const body = bodyOf(pair, requirements);
    const answer = await this.client.send({ method: 'POST', path: '/verify', body, limitMs: LIMIT_MS });
    if (answer.status !== 200) throw this.problemOf(answer);
    return this.receive(id, question, answer.data);
  }

  private receive(id: PairId, question: Question, data: unknown): GuardVerdict {
    const verdict = this.read(data);
    const { grant } = data as { grant?: unknown };
    if (grant !== undefined) return this.keep(id, question, grant, verdict);
    if (verdict.code === 'INVALID_CREDENTIALS') this.knowledge.keepRefusal(id, question);
    return verdict;
  }

  private read(data: unknown): GuardVerdict {
    try {
      return readVerdict(data);
    } catch (cause) {
      throw new GuardUnavailableError((cause as Error).message, 1, { cause });
    }
  }

  private keep(id: PairId, question: Question, grant: unknown, verdict: GuardVerdict): GuardVerdict {
    try {
      const terms = readGrant(grant);
      const reason = typeof terms === 'string' ? terms : this.knowledge.keep(id, question, terms);
      if (reason !== undefined) this.statistics.countNotKept(reason);
      if (typeof terms === 'string') return verdict;
      const { keyId, ownerId, name, scopes, expiresAt } = terms;
      return { ...verdict, keyId, ownerId, name, scopes, ...(expiresAt !== null && { expiresAt }) };
    } catch (error) {
      if (!(error instanceof UnexpectedAnswerError || error instanceof InvalidNetworkError)) throw error;
      // The verdict itself was understood
      this.statistics.countNotKept('unreadable');
      return verdict;
    }
  }

  private problemOf({ status, error, retryAfterSeconds }: Answer): Error {
    if (status === 401) {
      this.state.refused();
      return unavailable('refused');
    }
    const details = error?.details?.map(({ path, message }) => `${path} ${message}`).join('; ');
    if (status === 400) return new TypeError(details ?? error?.message);
    return new GuardUnavailableError(`The API-key service answered: ${error?.message ?? status}`, retryAfterSeconds);
  }
}

function bodyOf({ apiKey, secretKey }: KeyPair, { scopes, ip, cost }: Requirements): string {
  const scope = scopes.length > 0 ? scopes : undefined;
  return JSON.stringify({ api_key: apiKey, secret_key: secretKey, scope, ip, cost, grant: true });
}
