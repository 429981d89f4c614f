import type { Code } from "@connectrpc/connect";
import { codeToHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";

/** An error as Connect writes it, which `curl` users can read and every client understands. */
export function errorResponse(
  code: Code,
  message: string,
  options: { readonly status?: number; readonly headers?: Record<string, string> } = {},
): Response {
  return Response.json(
    { code: codeToString(code), message },
    { status: options.status ?? codeToHttpStatus(code), headers: options.headers ?? {} },
  );
}
