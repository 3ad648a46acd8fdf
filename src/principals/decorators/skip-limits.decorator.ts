import { Reflector } from '@nestjs/core';

/** A route whose calls cost a key neither a use nor rate, and do not count against the management rate. */
export const SkipLimits = Reflector.createDecorator<void, true>({ transform: () => true });
