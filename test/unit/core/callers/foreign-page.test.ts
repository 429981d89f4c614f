import { expect, test } from "vitest";
import { foreignPage } from "../../../../src/core/callers/foreign-page.ts";

const HOST = "jobs.example.com";
const CURL = "application/x-www-form-urlencoded";
const problem = (headers: Record<string, string>, allowed: string[] = [], method = "POST") =>
  foreignPage(
    (name) => headers[name],
    () => HOST,
    allowed,
    method,
  );

test.each<[string, Record<string, string>]>([
  ["a program", {}],
  ["curl -d", { "content-type": CURL, "user-agent": "curl/8.5.0" }],
  ["its own page", { origin: `https://${HOST}`, "sec-fetch-site": "same-origin" }],
  [
    "its own page, without an Origin",
    { "sec-fetch-site": "same-origin", "content-type": "application/json" },
  ],
  ["what somebody typed", { "sec-fetch-site": "none", "user-agent": "Mozilla/5.0" }],
])("%s may call", (_, headers) => {
  expect(problem(headers)).toBeNull();
});

test.each<[string, Record<string, string>]>([
  ["of another host", { origin: "https://evil.example" }],
  ["of another port", { origin: `https://${HOST}:8443` }],
  ["without a name, as sandboxed ones are", { origin: "null" }],
  ["of no URL", { origin: "x" }],
  ["of another site", { "sec-fetch-site": "cross-site" }],
  ["of a neighbour", { "sec-fetch-site": "same-site" }],
  ["whose form says no Origin", { "content-type": CURL, "user-agent": "Mozilla/5.0 (X11)" }],
  ["whose form brings cookies", { "content-type": "text/plain; charset=utf-8", cookie: "a=b" }],
  [
    "whose form was sent from elsewhere",
    { "content-type": "multipart/form-data; boundary=x", referer: "https://x" },
  ],
])("a page %s may not", (_, headers) => {
  expect(problem(headers)).toMatch(
    /^(Origin|Sec-Fetch-Site|Content-Type): .*(is not allowed|accepted|application\/json is)/,
  );
});

test("pages that are named may, and all where all are", () => {
  const headers = { origin: "https://ops.example.com", "sec-fetch-site": "cross-site", "content-type": CURL };
  expect(problem(headers, ["https://ops.example.com"])).toBeNull();
  expect(problem(headers, ["*"])).toBeNull();
  expect(problem(headers, ["https://ops.example.org"])).not.toBeNull();
});

const BROWSER = { "user-agent": "Mozilla/5.0 (X11)" };

test.each<[string, Record<string, string>]>([
  ["a program's", { "user-agent": "curl/8.5.0" }],
  ["of an address that somebody typed", { ...BROWSER, "sec-fetch-site": "none" }],
  ["of its own page", { ...BROWSER, "sec-fetch-site": "same-origin" }],
  ["of its own page over plain HTTP", { ...BROWSER, referer: `http://${HOST}/` }],
])("a GET %s is answered", (_, headers) => {
  expect(problem(headers, [], "GET")).toBeNull();
});

test.each<[string, Record<string, string>]>([
  ["as an image", { ...BROWSER, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
  ["over plain HTTP, where browsers say of no site", BROWSER],
  ["over plain HTTP, from another host", { ...BROWSER, referer: "http://evil.example/" }],
  ["with an Origin", { ...BROWSER, origin: "http://evil.example" }],
])("a GET that a page has fetched %s is not", (_, headers) => {
  expect(problem(headers, [], "GET")).toMatch(/^(Origin|Sec-Fetch-Site): /);
});
