/** The edge for platforms that listen themselves and call `fetch`: `deno serve src/edge/serverless.ts`. */
import { edgeFromDenoEnvironment } from "./deno-edge.ts";

const { edge } = edgeFromDenoEnvironment();

export default { fetch: (request: Request) => edge.fetch(request) };
