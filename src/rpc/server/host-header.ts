import { quote } from "../../core/errors.ts";

/** Whether a request has more than one Host header, of which another program on its way may have believed another one. */
export function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count > 1;
}

/**
 * What is wrong with a Host header (or `:authority`), or null. The adapter builds a URL of it outside
 * its promise, so a bad one would otherwise end the process.
 */
export function hostProblem(host: string | undefined): string | null {
  if (host === undefined || host === "")
    return "Host: missing; send the header, for example Host: 127.0.0.1:7070";
  const shown = quote(host);
  const problem = `Host: ${shown} is not a host name or address with an optional port`;
  if (/[\s/?#@\\]/.test(host)) return problem;
  const url = URL.parse(`http://${host}`);
  return url === null || url.hostname === "" ? problem : null;
}
