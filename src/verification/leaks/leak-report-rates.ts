import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { isGenuine } from '../../api-keys/credentials/credentials.js';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { RateLimitedError } from '../../principals/refusal-errors.js';
import { ClientAddress } from '../../http/client-address.js';
import { type RateDecision, RateLimiter } from '../../limits/rate-limiter.js';
import { CredentialKeyring } from '../../api-keys/credentials/credential-keyring.js';

const WINDOW_SECONDS = 60;
/** A caller with more to report from one address can continue a minute later. */
const BY_ADDRESS = { requests: 120, windowSeconds: WINDOW_SECONDS };
/** The first report revoked the key; further ones are mistakes, or abuse. */
const BY_PAIR = { requests: 30, windowSeconds: WINDOW_SECONDS };

/** Limits how often leaks are reported: per address, before the body is parsed, and per pair. */
@Injectable()
export class LeakReportRates {
  /** The charge of each report against its address, which is refunded if its pair is over the limit. */
  private readonly charges = new WeakMap<IncomingMessage, RateDecision>();

  constructor(
    private readonly rateLimiter: RateLimiter,
    private readonly clientAddress: ClientAddress,
    private readonly keyring: CredentialKeyring,
  ) {}

  /** @throws RateLimitedError */
  async chargeAddress(request: IncomingMessage): Promise<void> {
    const name = `leak-address:${this.clientAddress.networkOf(request)}`;
    // No operator's networks can use up the memory for rates
    const byAddress = await this.rateLimiter.take(name, BY_ADDRESS, 1, this.clientAddress.widerNetworkOf(request));
    if (!byAddress.granted) throw new RateLimitedError([{ name: 'address', ...byAddress }]);
    this.charges.set(request, byAddress);
  }

  /** An invalid pair is not counted: it costs nothing, and there is no bound on their number. @throws RateLimitedError */
  async chargePair(pair: KeyPair, request: IncomingMessage): Promise<void> {
    if (!isGenuine(pair, this.keyring.keys)) return;
    const digest = hash('sha256', `${pair.apiKey}.${pair.secretKey}`, 'base64url');
    const byPair = await this.rateLimiter.take(`leak-pair:${digest}`, BY_PAIR, 1);
    if (byPair.granted) return;
    await this.charges.get(request)?.refund();
    throw new RateLimitedError([{ name: 'pair', ...byPair }]);
  }
}
