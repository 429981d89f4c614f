import { describe, expect, test } from "vitest";
import { checkToken, operators, parseTokenLines } from "../../../../src/core/callers/api-tokens.ts";
import { mayDo, neededRole, ROLES } from "../../../../src/core/callers/roles.ts";
import { SlowDown } from "../../../../src/core/callers/slow-down.ts";
import { ClusterService } from "../../../../src/gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../../../../src/gen/elasticjob/v1/job_service_pb.ts";

const LINES = `
# whose, what, which
grafana   read     a-token-of-grafana-0
billing   write    a-token-of-billing-0
on-call   operate  a-token-of-on-call-0
on-call   operate  a-newer-one-of-on-call
`;

describe("a file of tokens", () => {
  test("has lines of name, role and token", () => {
    const { tokens, problems } = parseTokenLines(LINES);
    expect(problems).toEqual([]);
    expect(tokens.map(({ name, role }) => `${name} ${role}`)).toEqual([
      "grafana read",
      "billing write",
      "on-call operate",
      "on-call operate",
    ]);
  });

  test.each([
    ["a read", "is not `name role token`"],
    ["a read a-token-0123456789 more", "is not `name role token`"],
    ["a admin a-token-0123456789", "its role is not accepted; read, write, operate are"],
    ["a read short", "its token is not accepted"],
    ["a,b read a-token-0123456789", "its name is not accepted"],
    ["", "is missing"],
    ["# nobody", "is missing"],
    ["a read a-token-0123456789\nb read a-token-0123456789", "its token is another line's, too"],
  ])("of %j says by the line what is wrong, and no token", (text, message) => {
    const { problems } = parseTokenLines(text);
    expect(problems).toEqual([
      { field: expect.stringMatching(/^line \d$/), message: expect.stringContaining(message) },
    ]);
    expect(JSON.stringify(problems)).not.toContain("a-token-");
  });
});

const { tokens } = parseTokenLines(LINES);
const bearer = (token: string) => `Bearer ${token}`;

// Each method of the API, and the least role that may call it: docs/security.md has the same table.
test.each<[string, string]>([
  ["GetJobStatus", "read"],
  ["GetAllJobs", "read"],
  ["GetAllResult", "read"],
  ["PreviewSchedule", "read"],
  ["WatchJob", "read"],
  ["GetJobLog", "read"],
  ["WatchJobLog", "read"],
  ["GetCluster", "read"],
  ["WatchCluster", "read"],
  ["AddJob", "write"],
  ["AddJobs", "write"],
  ["StreamAddJobs", "write"],
  ["UpdateJob", "write"],
  ["DeleteJob", "write"],
  ["PauseJob", "write"],
  ["ResumeJob", "write"],
  ["TriggerJob", "write"],
  ["CancelJob", "write"],
  ["RetryJob", "write"],
  ["GetAudit", "operate"],
  ["PutJob", "write"],
  ["PutJobSet", "write"],
  ["DrainNode", "operate"],
  ["UndrainNode", "operate"],
  ["AMethodThatIsNew", "operate"],
])("%s asks for %s", (method, role) => {
  const kinds = [
    "a-token-of-grafana-0",
    "a-token-of-billing-0",
    "a-token-of-on-call-0",
    "a-newer-one-of-on-call",
  ].map((token) => checkToken(tokens, bearer(token), method).kind);
  const from = ROLES.indexOf(role as (typeof ROLES)[number]);
  expect(kinds).toEqual([0, 1, 2, 2].map((has) => (has >= from ? "admitted" : "forbidden")));
});

test("no method of the API is left to the default", () => {
  for (const { name } of [...JobService.methods, ...ClusterService.methods]) {
    if (neededRole(name) === "operate") expect(["GetAudit", "DrainNode", "UndrainNode"]).toContain(name);
  }
});

test("who is not known is told what to send, who may not what it would take, and nobody a token", () => {
  expect(checkToken(tokens, null, "AddJob")).toMatchObject({
    kind: "unknown",
    message: expect.stringContaining("none was sent"),
  });
  expect(checkToken(tokens, bearer("wrong"), "AddJob")).toMatchObject({ kind: "unknown" });
  expect(checkToken(tokens, "Basic a-token-of-on-call-0", "AddJob").kind).toBe("unknown");
  expect(checkToken(tokens, bearer("a-token-of-grafana-0"), "AddJob")).toEqual({
    kind: "forbidden",
    name: "grafana",
    message: "AddJob asks for the role write; grafana has read",
  });
  expect(checkToken(operators(["a-token-of-all-0123"]), bearer("a-token-of-all-0123"), "DrainNode")).toEqual({
    kind: "admitted",
    name: "token-1",
  });
  expect(mayDo("operate", "read")).toBe(true);
});

test("wrong tokens wait longer and longer, by caller, and are forgotten", () => {
  const slow = new SlowDown();
  const waits = Array.from({ length: 12 }, () => slow.waitMs("10.0.0.9", 0));
  expect(waits).toEqual([0, 0, 0, 50, 100, 200, 400, 800, 1600, 2000, 2000, 2000]);
  expect(slow.waitMs("10.0.0.8", 0)).toBe(0);
  expect(slow.waitMs("10.0.0.9", 60_001)).toBe(0);
});

test("the secret between nodes is no caller's token", () => {
  const secret = "secret-of-the-cluster-0123";
  const { tokens: accepted, problems } = parseTokenLines(`a read ${secret}\nb read another-token-of-16`, [
    secret,
  ]);
  expect(accepted).toMatchObject([{ name: "b" }]);
  expect(problems).toEqual([
    { field: "line 1", message: "its token is the secret between nodes, which is no caller's" },
  ]);
});
