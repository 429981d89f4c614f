/** The blocks that a test of their own runs, and those that none can run, each with its reason. All others are run by blocks.test.ts. */
import type { Language } from "./page-code.ts";

interface Place {
  readonly page: string;
  /** Below which they stand. */
  readonly heading: string;
  readonly languages: readonly Language[];
}

/** `test`: the file that runs them; it names the page, as it reads them there. `because`: why they are not run as they stand. */
export type RunElsewhere = Place & ({ readonly test: string } | { readonly because: string });

const NEWCOMER = "test/package/newcomer.test.ts";
const CLIENTS = "test/integration/languages/clients-page.test.ts";
const GENERATED = "test/integration/languages/generated-clients.test.ts";
const GUARANTEES = "test/integration/docs/guarantees.test.ts";
const OPERATING = "test/integration/docs/operating.test.ts";
const DOCKER = "it needs Docker; npm run test:compose does the same, and more";
const SERVERS = "it needs MySQL and Redis at their usual ports; test/integration/cluster starts nodes so";
const INSTALL = "it needs the published package; test/package does the same with tarballs";
const OTHERS = "it is code for the other product, to compare with";

const README: readonly RunElsewhere[] = [
  { page: "README.md", heading: "Try it", languages: ["sh", "json"], test: NEWCOMER },
  { page: "README.md", heading: "Your own jobs", languages: ["sh"], test: NEWCOMER },
  {
    page: "README.md",
    heading: "A cluster",
    languages: ["sh"],
    test: "test/integration/store/readme-database.test.ts",
  },
  { page: "README.md", heading: "In containers", languages: ["sh", "dockerfile"], because: DOCKER },
  {
    page: "README.md",
    heading: "Working on it",
    languages: ["sh"],
    because: "they are this repository's own tests and benchmarks",
  },
];

const PAGES: readonly RunElsewhere[] = [
  { page: "docs/getting-started.md", heading: "A handler", languages: ["sh"], test: NEWCOMER },
  {
    page: "docs/guarantees.md",
    heading: "Effects that happen once",
    languages: ["sql", "ts"],
    test: GUARANTEES,
  },
  { page: "docs/clients.md", heading: "TypeScript", languages: ["yaml", "ts"], test: GENERATED },
  { page: "docs/clients.md", heading: "Python", languages: ["yaml", "python"], test: GENERATED },
  {
    page: "docs/clients.md",
    heading: "With buf curl, grpcurl, and whatever else asks for the services",
    languages: ["sh"],
    test: CLIENTS,
  },
  { page: "docs/clients.md", heading: "Errors", languages: ["sh"], test: CLIENTS },
  {
    page: "docs/operating.md",
    heading: "The database's accounts",
    languages: ["sql"],
    test: "test/servers/least-rights.ts",
  },
  { page: "docs/operating.md", heading: "TLS of nodes and edge", languages: ["sh"], test: OPERATING },
  { page: "docs/operating.md", heading: "Backup and restore", languages: ["sh"], test: OPERATING },
  { page: "docs/operating.md", heading: "The passwords of compose", languages: ["sh"], because: DOCKER },
  {
    page: "docs/benchmarks.md",
    heading: "Benchmarks: how fast it is, beside its peers",
    languages: ["sh"],
    because: "they run for half an hour and more, and install the peers",
  },
  { page: "docs/from-bullmq.md", heading: "Before", languages: ["js"], because: OTHERS },
  { page: "docs/from-node-cron.md", heading: "Before", languages: ["js"], because: OTHERS },
  { page: "docs/from-xxl-job.md", heading: "Before", languages: ["java"], because: OTHERS },
];

const PACKAGES: readonly RunElsewhere[] = [
  {
    page: "packages/client/README.md",
    heading: "@elastic-job/client",
    languages: ["sh"],
    because: INSTALL,
  },
  { page: "packages/elastic-job/README.md", heading: "Try it", languages: ["sh"], because: INSTALL },
  { page: "packages/elastic-job/README.md", heading: "Your own jobs", languages: ["sh"], because: INSTALL },
  { page: "packages/elastic-job/README.md", heading: "A cluster", languages: ["sh"], because: SERVERS },
];

const EXAMPLES: readonly RunElsewhere[] = [
  ["web-service", "A web service that adds jobs"],
  ["nightly-report", "A nightly report over a change of the clocks"],
  ["hono-service", "A node inside a service"],
].map(([name = "", heading = ""]) => ({
  page: `examples/${name}/README.md`,
  heading,
  languages: ["sh"],
  test: `test/integration/examples/${name}.test.ts`,
}));

export const RUN_ELSEWHERE: readonly RunElsewhere[] = [...README, ...PAGES, ...PACKAGES, ...EXAMPLES];
