/** What each kind of setting accepts, in words and as a check, and how its text is read. */
import * as z from "zod";
import { parseRedisUrl, REDIS_URL_FORMS } from "../coordination/redis/redis-url.ts";
import type { AuditRetention } from "../core/audit/audit-record.ts";
import { ElasticJobError } from "../core/errors.ts";
import { parseAuditRetention } from "../core/state/audit-retention.ts";
import { parseRetention, type Retention } from "../core/state/retention.ts";
import { MYSQL_URL_FORM, parseMysqlUrl } from "../store/mysql/mysql-url.ts";

export interface Reader<T> {
  /** Completes "use …". */
  readonly accepts: string;
  readonly schema: z.ZodType<T, string>;
  /** Its messages say what is wrong with the value, and what would be accepted. */
  readonly saysWhy?: true;
  /** Spaces at its ends belong to it. */
  readonly isVerbatim?: true;
  /** The secrets in a text that it accepts. */
  readonly secretsIn?: (text: string) => readonly string[];
}

export function wholeNumber(min: number, max: number): Reader<number> {
  const schema = z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));
  return { accepts: `a whole number from ${min} to ${max}`, schema };
}

export function text(accepts: string, pattern: RegExp): Reader<string> {
  return { accepts, schema: z.string().regex(pattern) };
}

/** At least one: a list that is given and names nothing is a mistake, and would open what it is to close. */
function someOf<T>(item: Reader<T>): Reader<T[]> {
  const { accepts, schema } = list(item);
  return { accepts, schema: schema.refine((items) => items.length > 0) };
}

/** A header must be able to carry a token. */
const token = text("16 to 200 letters, digits and . _ ~ + / = -", /^[A-Za-z0-9._~+/=-]{16,200}$/);

export const tokens: Reader<string[]> = { ...someOf(token), secretsIn: splitList };

/** U+FFFD stands where a file has bytes that are not UTF-8: with it, the password would be another one. */
export const password: Reader<string> = {
  ...text("one line of up to 1000 characters, in UTF-8", /^[^\0\r\n\uFFFD]{1,1000}$/u),
  isVerbatim: true,
  secretsIn: (value) => [value],
};

export function oneOf<const T extends string>(values: readonly T[]): Reader<T> {
  return { accepts: `one of ${values.join(", ")}`, schema: z.enum(values) };
}

/** Separated by commas; spaces around an item and empty items do not count. */
export function list<T>(item: Reader<T>): Reader<T[]> {
  const items = z.string().transform((value) => splitList(value));
  return {
    accepts: `${item.accepts}; several are separated by commas`,
    schema: items.pipe(z.array(item.schema)),
  };
}

export const mysqlUrl: Reader<string> = {
  accepts: MYSQL_URL_FORM,
  saysWhy: true,
  schema: checked(parseMysqlUrl),
  secretsIn: (value) => [parseMysqlUrl(value).password],
};

export const redisUrl: Reader<string> = {
  accepts: REDIS_URL_FORMS,
  saysWhy: true,
  schema: checked(parseRedisUrl),
  secretsIn: (value) => {
    const target = parseRedisUrl(value);
    const sentinels = target.kind === "sentinel" ? target.sentinelCredentials.password : undefined;
    return [target.credentials.password ?? "", sentinels ?? ""];
  },
};

/** The text as it is, once `parse` takes it. */
function checked(parse: (text: string) => unknown): z.ZodType<string, string> {
  return z.string().superRefine((value, context) => {
    try {
      parse(value);
    } catch (error) {
      if (!(error instanceof ElasticJobError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });
}

/** The result has no slash at its end. */
export const nodeUrl: Reader<string> = {
  accepts: "the URL of a node, such as http://10.0.0.5:7070",
  schema: z
    .string()
    .refine((value) => {
      const url = URL.parse(value);
      return url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
    })
    .transform((value) => value.replace(/\/+$/, "")),
};

export const origin: Reader<string> = {
  accepts: "the origin of a page, such as https://console.example.com, without a path, or * for any",
  schema: z.string().refine((value) => value === "*" || URL.parse(value)?.origin === value),
};

export const address: Reader<string> = {
  accepts: "host:port as other nodes reach this one, such as 10.0.0.5:7070 or [fd00::5]:7070",
  schema: z.string().refine((value) => {
    const [, host, port] = /^(\[[^[\]]+\]|[^\s:/@?#[\]]+):(\d{1,5})$/.exec(value) ?? [];
    return (
      host !== undefined && Number(port) >= 1 && Number(port) <= 65_535 && URL.canParse(`http://${host}/`)
    );
  }),
};

/** The result is in lower case, as URLs have it, and an IPv6 network in brackets, as addresses are. */
export const hostRule: Reader<string> = {
  accepts:
    "the name or address of a host, such as api.example.com or [fd00::5], *.example.com for all below it, a network such as 10.1.0.0/16 or [fd00::/8], or * for any name; with :8443, say, only at that port",
  schema: z
    .string()
    .transform((value) => value.toLowerCase().replace(/^[\da-f:]*:[\da-f:]*\/\d+$/, "[$&]"))
    .refine((value) => {
      const [, name = "", port = "1"] = /^(\[[^\]]+\]|[^:]+)(?::([1-9]\d{0,4}))?$/.exec(value) ?? [];
      if (Number(port) > 65_535) return false;
      if (name.includes("/")) return isNetwork(name);
      const host = name.startsWith("*.") ? name.slice(2) : name;
      return name === "*" || (!host.includes("*") && URL.parse(`http://${host}/`)?.host === host);
    }),
};

/** `name=host`, with the name of a secret. */
export const secretHost: Reader<string> = {
  accepts:
    "name=host with the name of a secret and a host as HTTP_ALLOWED_HOSTS has them, such as stripe=api.stripe.com",
  schema: z.string().transform((value, context) => {
    const [, name, host] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})\s*=\s*(.+)$/.exec(value) ?? [];
    const rule = hostRule.schema.safeParse(host ?? "");
    if (name !== undefined && rule.success) return `${name}=${rule.data}`;
    context.addIssue({ code: "custom", message: "is no name=host" });
    return z.NEVER;
  }),
};

/** An address as URLs have it, and how many bits of it count. */
function isNetwork(rule: string): boolean {
  const [, ipv4, ipv6, bits = ""] = /^(?:([\d.]+)|\[([\da-f:]+))\/(\d{1,3})\]?$/.exec(rule) ?? [];
  if (rule.startsWith("[") !== rule.endsWith("]")) return false;
  const host = ipv4 ?? `[${ipv6}]`;
  return Number(bits) <= (ipv4 === undefined ? 128 : 32) && URL.parse(`http://${host}/`)?.hostname === host;
}

/** How long what has ended is kept. */
export const retention: Reader<Retention> = {
  accepts: "off, or parts such as succeeded=7d,failed=30d/500,results=1000",
  saysWhy: true,
  schema: z.string().transform((value, context) => {
    const parsed = parseRetention(value);
    for (const message of parsed.problems) context.addIssue({ code: "custom", message });
    return parsed.retention;
  }),
};

/** How long it is kept what callers did. */
export const auditRetention: Reader<AuditRetention> = {
  accepts: "off, or parts such as age=90d,rows=1000000",
  saysWhy: true,
  schema: z.string().transform((value, context) => {
    const parsed = parseAuditRetention(value);
    for (const message of parsed.problems) context.addIssue({ code: "custom", message });
    return parsed.retention;
  }),
};

/** `name=value`, each name once. */
export const labels: Reader<Readonly<Record<string, string>>> = {
  accepts: "name=value, such as gpu=true,zone=a, each name once",
  schema: z
    .string()
    .transform((value) =>
      splitList(value).map(
        (item) => /^([A-Za-z0-9_./-]{1,128})\s*=\s*(.{0,255})$/s.exec(item)?.slice(1) ?? [],
      ),
    )
    .pipe(z.array(z.tuple([z.string(), z.string()])))
    .refine((pairs) => new Set(pairs.map(([name]) => name)).size === pairs.length)
    .transform((pairs) => Object.freeze(Object.fromEntries(pairs))),
};

function splitList(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
