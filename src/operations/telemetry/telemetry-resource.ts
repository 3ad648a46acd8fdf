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
 * The resource that sends spans: the SDK, this version and this process. `OTEL_RESOURCE_ATTRIBUTES` adds or overrides
 * attributes, and `OTEL_SERVICE_NAME` overrides the name.
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
