/** Who may call: tokens, whose they are, and what those may do. */
import type { Problem } from "../errors.ts";
import { bearerToken, isOneOf } from "./bearer-token.ts";
import { ANYBODY } from "./caller.ts";
import { isPlaceholder } from "./placeholder.ts";
import { mayDo, neededRole, ROLES, type Role } from "./roles.ts";

export interface ApiToken {
  /** Whose it is, for people and logs: the token itself is told nobody. */
  readonly name: string;
  readonly role: Role;
  readonly token: string;
}

/** 16 to 200 characters that a header can carry. */
export const TOKEN = /^[A-Za-z0-9._~+/=-]{16,200}$/;
const NAME = /^[A-Za-z0-9._:@-]{1,64}$/;

export interface ParsedTokens {
  readonly tokens: readonly ApiToken[];
  /** By the line, without the tokens. */
  readonly problems: readonly Problem[];
}

/** `clusterSecrets`: what nodes prove themselves by. Lines of `name role token`; empty ones, and those that begin with `#`, do not count. */
export function parseTokenLines(text: string, clusterSecrets: readonly string[] = []): ParsedTokens {
  const tokens: ApiToken[] = [];
  const problems: Problem[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [name = "", role = "", token = "", ...more] = line.trim().split(/\s+/);
    const problem =
      problemOf(name, role, token, more.length > 0, tokens) ??
      (clusterSecrets.includes(token) ? "its token is the secret between nodes, which is no caller's" : null);
    if (problem === null) tokens.push({ name, role: role as Role, token });
    else problems.push({ field: `line ${index + 1}`, message: problem });
  }
  // An empty file closes no door.
  if (tokens.length === 0 && problems.length === 0) {
    problems.push({ field: "line 1", message: "is missing; `name role token` is accepted, a line each" });
  }
  return { tokens, problems };
}

function problemOf(
  name: string,
  role: string,
  token: string,
  hasMore: boolean,
  before: readonly ApiToken[],
): string | null {
  if (hasMore || token === "") return "is not `name role token`";
  if (!NAME.test(name)) return "its name is not accepted; up to 64 letters, digits and . _ : @ - are";
  if (name === ANYBODY) return `its name is ${ANYBODY}, which stands for callers without a token`;
  if (!(ROLES as readonly string[]).includes(role))
    return `its role is not accepted; ${ROLES.join(", ")} are`;
  if (!TOKEN.test(token)) return "its token is not accepted; 16 to 200 letters, digits and . _ ~ + / = - are";
  if (isPlaceholder(token))
    return "its token is a placeholder, as examples have them for all to read; choose another";
  // One name may have several, of which one is about to be dropped.
  return before.some((one) => one.token === token) ? "its token is another line's, too" : null;
}

/** Those of API_TOKENS may do everything. */
export function operators(tokens: readonly string[]): ApiToken[] {
  return tokens.map((token, index) => ({ name: `token-${index + 1}`, role: "operate", token }));
}

export type CallerCheck =
  | { readonly kind: "admitted"; readonly name: string }
  | { readonly kind: "unknown"; readonly message: string }
  | { readonly kind: "forbidden"; readonly name: string; readonly message: string };

/** Whether a call of this method may be made with what the caller sent. */
export function checkToken(
  tokens: readonly ApiToken[],
  authorization: string | null,
  method: string,
): CallerCheck {
  const given = bearerToken(authorization);
  const [caller] = tokens.filter(({ token }) => isOneOf(given, [token]));
  if (caller === undefined) {
    const why = given === null ? "none was sent" : "the one that was sent is not accepted";
    const message = `this cluster asks for an API token: send \`Authorization: Bearer <token>\` (${why})`;
    return { kind: "unknown", message };
  }
  const needed = neededRole(method);
  if (mayDo(caller.role, needed)) return { kind: "admitted", name: caller.name };
  const message = `${method} asks for the role ${needed}; ${caller.name} has ${caller.role}`;
  return { kind: "forbidden", name: caller.name, message };
}
