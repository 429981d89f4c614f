/** What a module imports, types included, as its text says it. */
import { dirname, join, normalize } from "node:path";
import { parseSync } from "vite";

export interface Import {
  readonly specifier: string;
  /** Of the imported file, from the root; null: a package. */
  readonly target: string | null;
  readonly line: number;
}

/** `path`: from the root, with slashes. */
export function moduleImports(path: string, source: string): Import[] {
  const { module, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors.map((error) => error.message).join("; ")}`);
  const found = [
    ...module.staticImports.map((entry) => entry.moduleRequest),
    ...module.staticExports.flatMap((entry) => entry.entries.map((item) => item.moduleRequest)),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => ({
      value: source.slice(start, end).replace(/^(["'`])(.*)\1$/s, "$2"),
      start,
    })),
  ];
  return found.flatMap((request) =>
    request === null || request === undefined
      ? []
      : [
          {
            specifier: request.value,
            target: request.value.startsWith(".") ? normalize(join(dirname(path), request.value)) : null,
            line: source.slice(0, request.start).split("\n").length,
          },
        ],
  );
}

/** `@scope/name` of `@scope/name/path`, `name` of `name/path`. */
export function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
