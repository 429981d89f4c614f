import { expect, test } from "vitest";
import { answerInMs, callerDeadlineMs } from "../../../src/edge/call-deadline.ts";
import { acceptedContentType } from "../../../src/edge/content-type.ts";
import { requestHeaders } from "../../../src/edge/forwarded-headers.ts";
import { edgeMethods } from "../../../src/edge/rpc-methods.ts";
import { createUpstreams } from "../../../src/edge/upstreams.ts";

test("has the public services by both names, and never what nodes say to each other", () => {
  const paths = [...edgeMethods().keys()];
  expect(paths).toContain("/JobService/AddJob");
  expect(paths).toContain("/elasticjob.v1.JobService/AddJob");
  expect(paths).toContain("/ClusterService/GetCluster");
  expect(paths.filter((path) => path.includes("NodeService"))).toEqual([]);
});

test("repeats reads only, of all that carries no key", () => {
  const repeated = [...edgeMethods().values()].filter(({ readsOnly }) => readsOnly).map(({ path }) => path);
  expect(repeated).not.toContain("/elasticjob.v1.JobService/DeleteJob");
  expect(repeated).not.toContain("/elasticjob.v1.JobService/UpdateJob");
  expect(repeated).toContain("/elasticjob.v1.JobService/GetAllJobs");
});

test("keeps back headers that are about the connection, and those that it names", () => {
  const headers = requestHeaders(
    new Headers({
      connection: "keep-alive, X-Hop",
      "x-hop": "1",
      "keep-alive": "timeout=5",
      te: "trailers",
      expect: "100-continue",
      origin: "https://a.example",
      "sec-fetch-site": "same-site",
      "elastic-job-forwarded": "1",
      authorization: "Bearer x",
      "idempotency-key": "k",
    }),
  );
  expect(Object.fromEntries(headers)).toEqual({
    "accept-encoding": "identity",
    authorization: "Bearer x",
    "idempotency-key": "k",
  });
});

test("keeps back what a browser says of its page, which the edge has judged and a node would refuse", () => {
  const headers = requestHeaders(
    new Headers({
      origin: "https://a.example",
      referer: "https://a.example/page",
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "cors",
      "sec-fetch-dest": "empty",
    }),
  );
  expect(Object.fromEntries(headers)).toEqual({ "accept-encoding": "identity" });
});

test("takes no content type, and curl's, as JSON; passes on what nodes understand; and refuses the rest", () => {
  const accepted = (given: string | null) => {
    const content = acceptedContentType(given);
    return "problem" in content ? content.problem : content.contentType;
  };
  expect(accepted(null)).toBe("application/json");
  expect(accepted("application/x-www-form-urlencoded")).toBe("application/json");
  expect(accepted("application/json; charset=utf-8")).toBe("application/json");
  expect(accepted("application/grpc-web+proto")).toBe("application/grpc-web+proto");
  expect(accepted("application/connect+json")).toBe("application/connect+json");
  expect(accepted("application/grpc")).toMatch(/^Content-Type: /);
  expect(accepted("text/plain")).toMatch(/^Content-Type: /);
});

test("answers by half of the node's own margin before the deadline", () => {
  expect([200, 1_000, 3_000, 10_000].map(answerInMs)).toEqual([190, 950, 2_900, 9_900]);
});

test("reads the caller's deadline in both protocols", () => {
  expect(callerDeadlineMs(new Headers({ "connect-timeout-ms": "1500" }))).toBe(1_500);
  expect(callerDeadlineMs(new Headers({ "grpc-timeout": "2S" }))).toBe(2_000);
  expect(callerDeadlineMs(new Headers({ "connect-timeout-ms": "soon" }))).toBeNull();
  expect(callerDeadlineMs(new Headers({ "connect-timeout-ms": "0" }))).toBeNull();
  const web = { "content-type": "application/grpc-web", "connect-timeout-ms": "9999999999" };
  expect(callerDeadlineMs(new Headers(web))).toBeNull();
  expect(callerDeadlineMs(new Headers())).toBeNull();
});

test("sticks to a node until it fails, and moves on once for all who saw it fail", () => {
  const nodes = createUpstreams(["http://a/", "http://b", "http://c"]);
  expect(nodes.current()).toBe("http://a");
  nodes.failed("http://a");
  nodes.failed("http://a");
  expect(nodes.current()).toBe("http://b");
});
