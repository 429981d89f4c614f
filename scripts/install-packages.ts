/** Installs system packages on Debian and Ubuntu, without starting the services that they bring. */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";

const POLICY = "/usr/sbin/policy-rc.d";

export function mayInstall(): boolean {
  return process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
}

/** Of each group of alternatives, the first that apt knows. */
export function installPackages(groups: readonly (readonly string[])[]): void {
  run("apt-get", ["update", "-q"]);
  const names = groups.map((group) => group.find(isAvailable) ?? group[0] ?? "");
  console.error(`Installing ${names.join(" ")} …`);
  const forbade = forbidServiceStarts();
  try {
    run("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...names]);
  } finally {
    if (forbade) rmSync(POLICY, { force: true });
  }
}

/** Debian asks this program before it starts a service. False: there is one already, which is left alone. */
function forbidServiceStarts(): boolean {
  try {
    writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755, flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

function isAvailable(name: string): boolean {
  return spawnSync("apt-cache", ["show", name]).status === 0;
}

function run(program: string, args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status } = spawnSync(program, args, { stdio: ["ignore", 2, 2], env });
  if (status !== 0)
    throw new Error(`${program} ${args.join(" ")} ended with ${status}; its messages are above.`);
}
