export function generatePrivateKey(): string;
