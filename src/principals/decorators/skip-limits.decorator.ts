import { Reflector } from '@nestjs/core';

/** A route whose calls are not charged against the uses or rate of a key, nor against the management rate. */
export const SkipLimits = Reflector.createDecorator<void, true>({ transform: () => true });
