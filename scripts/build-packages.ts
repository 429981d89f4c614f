/**
 * `npm run build`: makes the packages that others install, from src/, each in a folder of dist/ that `npm pack` and
 * `npm publish` take as it is. What a package has is chosen by its manifest in packages/: the modules that it exports,
 * and what they import.
 */
import { buildPackage } from "./packages/build-package.ts";
import { PACKAGES } from "./packages/package-list.ts";

for (const parts of PACKAGES) {
  const startedAt = performance.now();
  const modules = buildPackage(parts);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`dist/${parts.folder}: ${modules} modules (${seconds} s)`);
}
