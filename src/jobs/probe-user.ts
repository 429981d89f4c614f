/** Runs a program as another user, and tells what it was and what it could do. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { SHELL_PATH } from "./shell-path.ts";

export interface ShellUser {
  readonly uid: number;
  readonly gid: number;
}

export interface Probed {
  readonly uid: number;
  readonly groups: readonly number[];
  /** Linux: of those with which it could become root or the node's user again. */
  readonly hasCapabilities: boolean;
  /** Of the guarded paths. */
  readonly readable: readonly string[];
  /** Whether the node could kill it. */
  readonly isEnded: boolean;
}

/** Then it waits to be killed, or for the end of its input. */
const SCRIPT = `
id -u
id -G
sed -n 's/^CapPrm:[[:space:]]*//p' /proc/self/status 2>/dev/null || :
echo paths
for path; do if [ -r "$path" ] || { [ -d "$path" ] && [ -x "$path" ]; }; then printf '%s\\n' "$path"; fi; done
echo end
read -r line`;

/** Rejects when none can be started as that user. */
export async function probeUser(user: ShellUser, guarded: readonly string[]): Promise<Probed> {
  const child = spawn("/bin/sh", ["-c", SCRIPT, "sh", ...guarded], {
    ...user,
    cwd: "/",
    env: { PATH: SHELL_PATH },
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const closed = once(child, "close");
  child.stdin.on("error", () => {});
  let printed = "";
  for await (const part of child.stdout.setEncoding("utf8")) {
    printed += String(part);
    if (printed.endsWith("\nend\n")) break;
  }
  const isEnded = child.pid !== undefined && canKill(child.pid);
  child.stdin.end();
  await closed;
  const [head = "", paths = ""] = printed.split("\npaths\n");
  const [uid, groups = "", capabilities = ""] = head.split("\n");
  return {
    uid: Number(uid),
    groups: groups.split(" ").map(Number),
    hasCapabilities: /[^0]/.test(capabilities),
    readable: paths.split("\n").slice(0, -2),
    isEnded,
  };
}

/** As `killGroup` does it, which has no use for the answer. */
function canKill(group: number): boolean {
  try {
    return process.kill(-group, "SIGKILL");
  } catch {
    return false;
  }
}
