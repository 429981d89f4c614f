/** Runs `docker`; what it prints belongs to the caller. */
import { execFile, spawnSync } from "node:child_process";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const LIMIT_MS = 300_000;

export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string; limitMs?: number } = {},
): Promise<Ended> {
  const { cwd, env = process.env, input, limitMs = LIMIT_MS } = options;
  return new Promise((resolve) => {
    const settings = {
      ...(cwd !== undefined && { cwd }),
      env,
      timeout: limitMs,
      maxBuffer: 64 * 1024 * 1024,
    };
    const child = execFile(program, args, settings, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, stdout, stderr: stderr || (error !== null && code === 1 ? error.message : "") });
    });
    // One that ends before it has read all says by its exit code how it went.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input ?? "");
  });
}

/** Its stdout, without the line break at its end; throws what it printed to stderr. */
export async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run("docker", args);
  if (code !== 0)
    throw new Error(`docker ${args.slice(0, 3).join(" ")} ended with ${code}: ${stderr.trim()}`);
  return stdout.trim();
}

/** Why there is no engine to be had; null: there is one. Answers within seconds. */
export function whyNoDocker(): string | null {
  const probe = (args: string[]) => spawnSync("docker", args, { encoding: "utf8", timeout: 5_000 });
  const version = probe(["version", "--format", "{{.Server.Version}}"]);
  if (version.error !== undefined && "code" in version.error && version.error.code === "ENOENT") {
    return "there is no docker command here";
  }
  if (version.status !== 0) return "no Docker engine answers";
  if (probe(["compose", "version"]).status !== 0) return "Docker lacks its compose plugin";
  return null;
}
