/** The Kubernetes manifests, as they are applied. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

export const MANIFESTS_FOLDER = join(import.meta.dirname, "../../../deploy/kubernetes");

export interface Manifest {
  /** Within the folder. */
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name: string; readonly namespace?: string };
  readonly spec?: Record<string, unknown>;
  readonly data?: Record<string, string>;
  readonly stringData?: Record<string, string>;
}

export const manifests: readonly Manifest[] = globSync("**/*.yaml", { cwd: MANIFESTS_FOLDER })
  .toSorted()
  .flatMap((file) =>
    parseAllDocuments(readFileSync(join(MANIFESTS_FOLDER, file), "utf8")).map((document) => {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`);
      return { file, ...(document.toJS() as Omit<Manifest, "file">) };
    }),
  );

export const findManifest = (kind: string, name: string) =>
  manifests.find((one) => one.kind === kind && one.metadata?.name === name);

/** Every value under this key, at any depth. */
export function valuesOf(value: unknown, key: string): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name === key ? [inner] : []),
    ...valuesOf(inner, key),
  ]);
}
