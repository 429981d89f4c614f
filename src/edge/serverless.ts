/** The edge for platforms that listen themselves and call `fetch`: `deno serve src/edge/serverless.ts`. */
import { edgeFromDenoEnvironment } from "./deno-edge.ts";

const { edge } = edgeFromDenoEnvironment();

export default {
  /** `connection`: as Deno gives it. */
  fetch: (request: Request, connection?: { readonly remoteAddr?: { readonly hostname?: string } }) =>
    edge.fetch(request, { remote: connection?.remoteAddr?.hostname }),
};
