/** Whom a process belongs to, and by what its peers and it know each other. */
export interface ClusterSecrets {
  /** The first proves this process, any proves another one: so a secret can be changed while nodes run. Never empty. */
  read(): Promise<readonly string[]>;
  /** The identity of the cluster, as this process's database has it. */
  cluster(): Promise<string>;
}

/** Those that were set, else the one that was made with the schema, which all who share the database know. */
export function clusterSecrets(
  given: () => readonly string[],
  store: { readSecret(): Promise<string>; readCluster(): Promise<{ readonly identity: string }> },
): ClusterSecrets {
  /** Both are kept for ever. */
  let made: string | null = null;
  let identity: string | null = null;
  return {
    async read() {
      const secrets = given();
      if (secrets.length > 0) return secrets;
      made ??= await store.readSecret();
      return [made];
    },
    async cluster() {
      identity ??= (await store.readCluster()).identity;
      return identity;
    },
  };
}
