/** Links between pages, and to files of the repository, lead somewhere. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { pages, ROOT } from "./page-code.ts";

const OTHERS = ["CONTRIBUTING.md", "SECURITY.md", "deploy/kubernetes/README.md"];

/** Without code, in which brackets mean something else. */
const proseOf = (path: string) =>
  readFileSync(join(ROOT, path), "utf8")
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, "")
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ""));

/** As GitHub makes them of headings. */
function anchorsOf(path: string): Set<string> {
  const headings = [...readFileSync(join(ROOT, path), "utf8").matchAll(/^#+ (.+)$/gm)];
  return new Set(
    headings.map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function isDead(page: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? page : join(dirname(page), file);
  if (!existsSync(join(ROOT, target))) return true;
  return anchor !== undefined && !anchorsOf(target).has(anchor);
}

/** A package's README is read where its own files are: those that are copied from the root stand beside it. */
const isOfPackage = (page: string) => page.startsWith("packages/");

test.each([...pages(), ...OTHERS])("%s has no dead link", (page) => {
  const base = isOfPackage(page) ? "README.md" : page;
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  const own = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(own.filter((link) => isDead(base, link))).toEqual([]);
});
