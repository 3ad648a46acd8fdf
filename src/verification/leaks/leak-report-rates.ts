import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { isGenuine } from '../../api-keys/credentials/credentials.js';
import type { KeyPair } from '../../principals/key-pair.js';
import { RateLimitedError } from '../../principals/refusal-errors.js';
import { ClientAddress } from '../../http/client-address.js';
import { type RateDecision, RateLimiter } from '../../limits/rate-limiter.js';
import { CredentialKeyring } from '../../api-keys/credentials/credential-keyring.js';

const WINDOW_SECONDS = 60;
/** Whoever has more to report, from one address, goes on a minute later. */
const BY_ADDRESS = { requests: 120, windowSeconds: WINDOW_SECONDS };
/** The first has ended the pair; the others are mistakes, or worse. */
const OF_ONE_PAIR = { requests: 30, windowSeconds: WINDOW_SECONDS };

/** Bounds how often leaks are reported, by whoever: from one address, before the body is parsed, and of one pair. */
@Injectable()
export class LeakReportRates {
  /** What each report was charged against its address: it is given back where its pair is refused. */
  private readonly taken = new WeakMap<IncomingMessage, RateDecision>();

  constructor(
    private readonly rateLimiter: RateLimiter,
    private readonly clientAddress: ClientAddress,
    private readonly keyring: CredentialKeyring,
  ) {}

  /** @throws RateLimitedError */
  async countAddress(request: IncomingMessage): Promise<void> {
    const network = this.clientAddress.networkOf(request);
    const byAddress = await this.rateLimiter.take(`leak-address:${network}`, BY_ADDRESS, 1);
    if (!byAddress.granted) throw new RateLimitedError([{ name: 'address', ...byAddress }]);
    this.taken.set(request, byAddress);
  }

  /** A made-up pair costs nothing, and is not counted: there is no end of them. @throws RateLimitedError */
  async countPair(pair: KeyPair, request: IncomingMessage): Promise<void> {
    if (!isGenuine(pair, this.keyring.keys)) return;
    const digest = hash('sha256', `${pair.apiKey}.${pair.secretKey}`, 'base64url');
    const ofPair = await this.rateLimiter.take(`leak-pair:${digest}`, OF_ONE_PAIR, 1);
    if (ofPair.granted) return;
    await this.taken.get(request)?.refund();
    throw new RateLimitedError([{ name: 'pair', ...ofPair }]);
  }
}
