/**
 * The user that programs of `shell` run as. As the node's own user a program reads the node's environment and memory in /proc, and
 * so all its secrets; so this one must be another in truth, which is tried at the start, by a program that runs as it.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ElasticJobError } from "../core/errors.ts";
import { type Probed, probeUser, type ShellUser } from "./probe-user.ts";
import { SHELL_PATH } from "./shell-path.ts";

/**
 * `name`: or its numbers, as `2000:2000`. `guarded`: files and folders that hold secrets. Throws `invalid_argument` when programs
 * could not run as it, could not be ended, or could read what is the node's.
 */
export async function findShellUser(name: string, guarded: readonly string[]): Promise<ShellUser> {
  const ownUid = process.getuid?.();
  if (ownUid === undefined) throw refused("this system does not run programs as other users");
  const user = await lookUp(name);
  if (user.uid === 0) throw refused(`${name} may do everything; name a user of its own for programs`);
  if (user.uid === ownUid) throw refused(`${name} is the node's own user; name another for programs`);
  const probed = await probeUser(user, guarded).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw refused(
      `the node may not run programs as ${name} (${why}); run it as root, or with the capabilities SETUID, SETGID and KILL of its own program`,
    );
  });
  const problem = problemOf(probed, user, name);
  if (problem !== null) throw refused(problem);
  return user;
}

async function lookUp(name: string): Promise<ShellUser> {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(name) ?? [];
  if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  try {
    return { uid: await idOf("-u", name), gid: await idOf("-g", name) };
  } catch (error) {
    throw refused(
      `there is no user ${name} on this machine; make one, or give its numbers, as 2000:2000`,
      error,
    );
  }
}

/** It asks whatever the system keeps its users in, which need not be /etc/passwd. */
async function idOf(option: "-u" | "-g", name: string): Promise<number> {
  const { stdout } = await promisify(execFile)("id", [option, name], { env: { PATH: SHELL_PATH } });
  return Number(stdout.trim());
}

function problemOf(probed: Probed, { uid }: ShellUser, name: string): string | null {
  if (probed.uid !== uid) return `programs would run as user ${probed.uid} instead of ${name}`;
  const own = new Set([...(process.getgroups?.() ?? []), process.getgid?.()]);
  const shared = probed.groups.find((group) => own.has(group));
  if (shared !== undefined) {
    return `programs of ${name} would have the group ${shared} of the node itself, and read what that may; give ${name} groups of its own`;
  }
  if (probed.hasCapabilities) {
    return `programs of ${name} would keep capabilities of the node; give them to its program (setcap), and not as ambient ones`;
  }
  if (!probed.isEnded) {
    return `the node may not end programs of ${name}; run it as root, or with the capability KILL`;
  }
  const [readable] = probed.readable;
  if (readable !== undefined) {
    return `${name} may read ${readable}, which holds secrets of the node; close it to others, as by chmod go-rwx`;
  }
  return null;
}

function refused(why: string, cause?: unknown): ElasticJobError {
  return new ElasticJobError("invalid_argument", `SHELL_USER: ${why}`, { cause });
}
