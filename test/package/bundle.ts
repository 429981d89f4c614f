import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "vite";

/** The one script of a page that has this source, as Vite builds it for users. */
export async function bundle(folder: string, name: string, source: string): Promise<string> {
  const input = join(folder, name);
  await writeFile(input, source);
  const built = await build({
    root: folder,
    configFile: false,
    logLevel: "warn",
    build: { write: false, rolldownOptions: { input } },
  });
  if (!("output" in built)) throw new Error("Vite has not built once");
  const [script, ...others] = built.output;
  if (others.length > 0) throw new Error(`there is more than one script: ${others[0]?.fileName}`);
  return script.code;
}
