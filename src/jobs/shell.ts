/**
 * Runs a program. It gets none of the node's environment, which may hold passwords, and, as a user of its own, can't read
 * the node's own in /proc either. It never outlives its attempt: it is the head of a process group, which is killed as a whole.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import * as z from "zod";
import { checkPayload } from "./check-payload.ts";
import type { Handler, HandlerContext } from "./define-jobs.ts";
import { killGroup } from "./kill-group.ts";
import { OutputTail } from "./output-tail.ts";
import { flagField, namedTexts, textField, textsField } from "./payload-fields.ts";
import type { ShellUser } from "./probe-user.ts";
import { SHELL_PATH } from "./shell-path.ts";
import { type Program, startFailure } from "./start-failure.ts";

const MAX_OUTPUT_BYTES = 64 * 1024;
/** The error shows so much of what the program wrote to stderr. */
const ERROR_CHARACTERS = 2000;

const NO_NUL = /^[^\0]*$/;
const NUL = { error: "must not hold a NUL" };
const NoNul = textField().regex(NO_NUL, NUL);
const REQUIRED = "is required: the program to run";
const Payload = z.strictObject({
  command: z
    .string({
      error: ({ input }) =>
        input === undefined ? REQUIRED : "must be text: the program alone; what it is given goes into args",
    })
    .min(1, { error: REQUIRED, abort: true })
    .regex(NO_NUL, NUL),
  args: textsField(NoNul).optional(),
  /** The command is a line for /bin/sh; the args are its $1, $2 … */
  shell: flagField().optional(),
  cwd: NoNul.min(1, { error: "must name a folder" }).optional(),
  env: namedTexts(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
      error: "is no name of a variable: letters, digits and _ are, not beginning with a digit",
    }),
    NoNul,
  ).optional(),
  stdin: textField().optional(),
});

/** Who is told of process groups, so that none outlives the thread that started it. */
export interface ProcessGroups {
  started(group: number): void;
  ended(group: number): void;
}

export interface ShellSettings {
  /** Whom programs run as; null: the node's own user, whose secrets they can then read. */
  readonly user: ShellUser | null;
}

export function createShell({ user }: ShellSettings, groups: ProcessGroups): Handler {
  return async (job, ctx) => {
    const { command, args = [], shell, cwd, env, stdin } = checkPayload(Payload, job.payload ?? {});
    ctx.signal.throwIfAborted();
    const [file, given] = shell ? ["/bin/sh", ["-c", command, "sh", ...args]] : [command, args];
    const variables = { PATH: SHELL_PATH, ...contextVariables(ctx), ...env };
    const program = { file, cwd: cwd ?? null, path: env?.["PATH"] ?? SHELL_PATH };
    const child = start(program, given, { env: variables, user });
    const stdout = new OutputTail(child.stdout, MAX_OUTPUT_BYTES);
    const stderr = new OutputTail(child.stderr, MAX_OUTPUT_BYTES);
    // It need not read what it is given.
    child.stdin.on("error", () => {});
    child.stdin.end(stdin ?? "");
    const group = child.pid;
    const closed = once(child, "close");
    if (group === undefined) {
      const error: unknown = await closed.catch((reason: unknown) => reason);
      throw startFailure(error, program);
    }
    groups.started(group);
    const kill = () => killGroup(group);
    ctx.signal.addEventListener("abort", kill, { once: true });
    // What it leaves in the background would keep its output open, and run on beside a retry.
    child.once("exit", kill);
    try {
      const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
      ctx.signal.throwIfAborted();
      const outcome = code === null ? `was ended by ${signal}` : `exited with ${code}`;
      if (code !== 0) throw new Error(`${command} ${outcome}${tail(stderr)}`);
      return {
        exitCode: code,
        ...stdout.result("stdout"),
        ...stderr.result("stderr"),
        ...(stdout.isCut || stderr.isCut ? { truncated: true } : {}),
      };
    } finally {
      ctx.signal.removeEventListener("abort", kill);
      groups.ended(group);
    }
  };
}

/** Some of what is wrong spawn throws, and some it emits. */
function start(
  program: Program,
  args: readonly string[],
  { env, user }: { readonly env: NodeJS.ProcessEnv; readonly user: ShellUser | null },
) {
  try {
    return spawn(program.file, args, {
      cwd: program.cwd ?? tmpdir(),
      env,
      ...user,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
  } catch (error) {
    throw startFailure(error, program);
  }
}

function contextVariables(ctx: HandlerContext): Record<string, string> {
  return {
    JOB_ID: ctx.jobId,
    JOB_CLAIM: String(ctx.claim),
    JOB_ATTEMPT: String(ctx.attempt),
    JOB_SCHEDULED_AT: ctx.scheduledAt.toISOString(),
    JOB_IDEMPOTENCY_KEY: ctx.idempotencyKey,
  };
}

function tail(stderr: OutputTail): string {
  const text = stderr.text().trim().slice(-ERROR_CHARACTERS);
  return text === "" ? "" : `: ${text}`;
}
