import { randomBytes } from 'node:crypto';
import { type Context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { isUntrusted } from './trace-caller.js';

type SamplingArguments = Parameters<Sampler['shouldSample']>;

/**
 * Samples requests by `OTEL_TRACES_SAMPLER`, treating those of untrusted callers as root spans with a random id, since
 * they could choose the id of their trace. Child spans follow their request.
 */
export class CallerSampler implements Sampler {
  private readonly configured = configuredSampler();

  shouldSample(...[context, traceId, ...rest]: SamplingArguments): SamplingResult {
    const parent = trace.getSpanContext(context);
    if (parent && !parent.isRemote) return { decision: decisionOf(parent.traceFlags) };
    const [parentContext, id] = isUntrusted(context) ? [ROOT_CONTEXT, randomTraceId()] : [context, traceId];
    return this.configured.shouldSample(parentContext satisfies Context, id, ...rest);
  }

  toString(): string {
    return `CallerSampler{${this.configured.toString()}}`;
  }
}

/** By `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`, with OpenTelemetry's defaults. */
function configuredSampler(): Sampler {
  const name = process.env['OTEL_TRACES_SAMPLER'] || 'parentbased_always_on';
  const given = Number(process.env['OTEL_TRACES_SAMPLER_ARG'] || 1);
  const ratio = given >= 0 && given <= 1 ? given : 1;
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default:
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  }
}

function decisionOf(flags: number): SamplingDecision {
  return (flags & TraceFlags.SAMPLED) === 0 ? SamplingDecision.NOT_RECORD : SamplingDecision.RECORD_AND_SAMPLED;
}

function randomTraceId(): string {
  return randomBytes(16).toString('hex');
}
