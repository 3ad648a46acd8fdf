export function secretsIn(text: string, secrets: readonly string[]): string[];
