import { OPENAPI, OPENAPI_HASH } from "../gen/openapi.ts";

const ETAG = `"${OPENAPI_HASH}"`;
let text: string | null = null;

/** The services as OpenAPI, which tools look at again and again: whoever has them is told that they are the same. */
export function openApiAnswer(ifNoneMatch: string | undefined): Response {
  const headers = { etag: ETAG, "cache-control": "no-cache" };
  const known = ifNoneMatch?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === ETAG) === true;
  if (known) return new Response(null, { status: 304, headers });
  text ??= JSON.stringify(OPENAPI);
  return new Response(text, { headers: { ...headers, "content-type": "application/json" } });
}
