/** What a job says of a call. */
import * as z from "zod";
import { namedTexts, passing, textField, textsField, wholeField } from "./payload-fields.ts";

const MAX_TIMEOUT_MS = 86_400_000;
/** They belong to the connection, or to how the request is sent. */
const OWN_HEADERS = [
  "host",
  "content-length",
  "connection",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const isStatus = (given: unknown) => Number.isInteger(given) && Number(given) >= 200 && Number(given) <= 599;
const isStatusOrList = (given: unknown) =>
  Array.isArray(given) ? given.length > 0 && given.every(isStatus) : isStatus(given);
export const HttpPayload = z
  .strictObject({
    url: z
      .string({
        error: ({ input }) =>
          input === undefined ? "is required: the URL to call, with http or https" : "must be text: a URL",
      })
      .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ""), {
        error: "must be a URL with http or https, such as https://example.com/path",
        abort: true,
      })
      .refine((text) => !hasUser(new URL(text)), {
        error: "must not hold a user or password; use an authorization header",
      }),
    method: textField()
      .regex(/^[A-Za-z]{1,16}$/, { error: "must be the name of a method, such as POST" })
      .optional(),
    headers: namedTexts(
      z.string().refine((name) => !OWN_HEADERS.includes(name.toLowerCase()), {
        error: "is set by the call itself; leave it out",
      }),
      textField(),
    ).optional(),
    /** Names of headers that are for the first host alone. */
    secretHeaders: textsField(textField()).optional(),
    /** Text is sent as it is, anything else as JSON. */
    body: z.unknown().optional(),
    expectedStatus: passing<number | readonly number[]>(
      isStatusOrList,
      "a status from 200 to 599, or a list of them, is",
    ).optional(),
    timeoutMs: wholeField(1, MAX_TIMEOUT_MS).optional(),
  })
  .superRefine(({ headers = {}, secretHeaders = [] }, context) => {
    const given = Object.keys(headers).map((name) => name.toLowerCase());
    for (const [index, name] of secretHeaders.entries()) {
      if (given.includes(name.toLowerCase())) continue;
      // A name that is mistyped would leave the header unprotected.
      const message = "must be the name of a header that payload.headers has";
      context.addIssue({ code: "custom", path: ["secretHeaders", index], message });
    }
  });
export type HttpPayload = z.output<typeof HttpPayload>;

export function hasUser({ username, password }: URL): boolean {
  return username !== "" || password !== "";
}
