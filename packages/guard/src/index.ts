export type { KeyPair, Refusal } from './decision/index.js';
