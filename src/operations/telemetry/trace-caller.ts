import type { IncomingMessage } from 'node:http';
import {
  type Context,
  createContextKey,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
} from '@opentelemetry/api';

/** W3C Trace Context, 3.2: later versions may add to what there is in the first. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-|$)/;
/** W3C Trace Context, 3.3.1.5: what has to be taken. */
const MAX_TRACE_STATE = 512;
const UNTRUSTED = createContextKey('the trace is a stranger\u2019s');

/**
 * The context of the span that a request says it is part of (`traceparent`). Of a stranger no more than the ids is taken:
 * whether the request is recorded is not for strangers to say, nor what else the collector is sent (`tracestate`).
 * `baggage` is not read, since nothing asks for it.
 *
 * @param isTrusted whether the caller is one of ours; asked only where it matters
 */
export function callerContext(request: IncomingMessage, isTrusted: (request: IncomingMessage) => boolean): Context {
  const { traceparent, tracestate } = request.headers;
  const [, traceId, spanId, flags = '00'] = (typeof traceparent === 'string' && TRACEPARENT.exec(traceparent)) || [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  const ids = { traceId, spanId, isRemote: true };
  if (!isSpanContextValid({ ...ids, traceFlags: TraceFlags.NONE })) return ROOT_CONTEXT;
  if (!isTrusted(request)) {
    return trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: TraceFlags.NONE }).setValue(UNTRUSTED, true);
  }
  const state = typeof tracestate === 'string' && tracestate.length <= MAX_TRACE_STATE ? tracestate : undefined;
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...ids,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    ...(state !== undefined && { traceState: createTraceState(state) }),
  });
}

export function isUntrusted(context: Context): boolean {
  return context.getValue(UNTRUSTED) === true;
}
