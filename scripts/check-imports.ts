/** `npm run check:imports`: holds the imports of src to `import-rules.ts`. */
import { globSync, readFileSync } from "node:fs";
import { importProblems, SOURCE_FILES } from "./import-rules.ts";

const problems = globSync(SOURCE_FILES)
  .toSorted()
  .flatMap((path) => importProblems(path, readFileSync(path, "utf8")));
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} imports point the wrong way; scripts/import-rules.ts has the rules.`);
  process.exitCode = 1;
}
