import { Reflector } from '@nestjs/core';

/** Opens a route to whoever asks; every other route wants a principal. */
export const Public = Reflector.createDecorator<void, true>({ transform: () => true });
