import { randomUUID } from 'node:crypto';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { VERSION } from '../../config/version.js';

export const SERVICE = 'w3ipfs-api-keys';

/**
 * What says it of itself that sends spans: the SDK, this version and this process; `OTEL_RESOURCE_ATTRIBUTES` adds to that
 * or replaces it, and `OTEL_SERVICE_NAME` has the last word on the name.
 */
export function telemetryResource(): Resource {
  const own = resourceFromAttributes({
    'service.name': SERVICE,
    'service.version': VERSION,
    'service.instance.id': randomUUID(),
  });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}
