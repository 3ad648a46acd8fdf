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

/** W3C Trace Context, 3.2: later versions may append fields. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-|$)/;
/** The length that must be supported (W3C Trace Context, 3.3.1.5). */
const MAX_TRACE_STATE = 512;
const UNTRUSTED = createContextKey('the trace is untrusted');

/**
 * The context of the parent span in `traceparent`. From untrusted callers, only the ids are used: they must not decide
 * whether a request is recorded, nor what else is sent to the collector (`tracestate`). `baggage` is ignored.
 *
 * @param isTrusted called only if a valid `traceparent` is present
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
