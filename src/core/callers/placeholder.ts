/**
 * Values that stand in an example for a secret that is yet to be chosen. Everybody can read them there; and they work, which
 * is why they stay.
 */
const PLACEHOLDERS = [
  // Also as change_me, CHANGEME, please-change-me-now, change.this.
  /(?:change|replace)[\s._~+/=-]*(?:me(?!nt)|this|with|it(?![a-z]))/i,
  /place[\s._-]?holder/i,
  /(?:^|[^a-z])your[\s._-]?(?:own[\s._-]?)?(?:secret|token|password|pass|key)/i,
  // <password>, ${PASSWORD}, {{password}}: what was to fill them in did not.
  /^<.*>$/s,
  /^\$?\{.*\}$/s,
  /^\$\(.*\)$/s,
  /^(?:x{4,}|\*{4,}|\.{3,})$/i,
];

export function isPlaceholder(secret: string): boolean {
  return PLACEHOLDERS.some((pattern) => pattern.test(secret.trim()));
}
