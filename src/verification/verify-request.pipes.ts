import { Injectable, type PipeTransform } from '@nestjs/common';
import type { VerifyRequest } from './verifier.js';
import { readVerifyBatch, readVerifyRequest } from './verify-request.js';

/** Reads the body of a single request. */
@Injectable()
export class VerifyRequestPipe implements PipeTransform<unknown, VerifyRequest> {
  transform(body: unknown): VerifyRequest {
    return readVerifyRequest(body);
  }
}

/** Reads the body of a batch. */
@Injectable()
export class VerifyBatchPipe implements PipeTransform<unknown, VerifyRequest[]> {
  transform(body: unknown): VerifyRequest[] {
    return readVerifyBatch(body);
  }
}
