/** What a package has beside the modules that its manifest names, and what those import. Paths are from the root. */
export interface PackageParts {
  /** In packages/, where its manifest and its README are, and in dist/. */
  readonly folder: string;
  /** Modules that others start by their URL, which no import tells. */
  readonly started: readonly string[];
  /** Files beside the modules that read them. */
  readonly read: readonly string[];
  /** Files that go along as they are. */
  readonly copied: readonly string[];
  /** The sources that the maps name. */
  readonly hasSources: boolean;
}

/** The service that nodes call each other by is nobody else's. */
const PUBLIC_PROTOS = ["cluster_service", "job_service", "job"].map(
  (name) => `proto/elasticjob/v1/${name}.proto`,
);

export const PACKAGES: readonly PackageParts[] = [
  {
    folder: "elastic-job",
    started: ["src/node/executor-thread.ts"],
    read: ["src/store/migrations/**/*.sql"],
    copied: ["LICENSE", "CHANGELOG.md", "docs/*.md", ...PUBLIC_PROTOS],
    // They would be nearly half of it, and with them it would be more than 1 MB. Its maps tell a file and a line.
    hasSources: false,
  },
  {
    folder: "client",
    started: [],
    read: [],
    copied: ["LICENSE", ...PUBLIC_PROTOS],
    // Bundlers complain of maps that name sources that are not there.
    hasSources: true,
  },
];
