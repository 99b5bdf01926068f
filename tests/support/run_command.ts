/** Runs the programs that the build and the tests are made of, with captured or passed-through output. */

/** How to run a program. Times in ms; `env` is added to ours. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** After this time the program's process group is killed; no limit without it. */
  readonly timeoutMs?: number;
  /** Starts with an empty environment. */
  readonly clearEnv?: boolean;
}

/** What became of a program: `code` is 128+n after signal n. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  readonly isTimedOut: boolean;
}

/** Runs a program to its end and captures what it prints. A non-zero exit is a result, not an exception. */
export async function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const startedMs = performance.now();
  const child = spawn(command, options, "piped");
  const timer = killAfter(child, options.timeoutMs);
  try {
    const [, output] = await Promise.all([feed(child, options.stdin), child.output()]);
    return {
      code: output.code,
      stdout: new TextDecoder().decode(output.stdout),
      stderr: new TextDecoder().decode(output.stderr),
      durationMs: Math.round(performance.now() - startedMs),
      isTimedOut: timer.hasFired(),
    };
  } finally {
    timer.stop();
  }
}

/** Runs a program that must succeed and returns its stdout. Throws with the end of its output when it fails. */
export async function mustRun(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await runCommand(command, options);
  if (result.code === 0) return result.stdout;
  const why = result.isTimedOut ? `took longer than ${options.timeoutMs} ms` : `exited with ${result.code}`;
  const tail = (result.stderr + result.stdout).trim().split("\n").slice(-20).join("\n");
  throw new Error(`Cannot run "${command.join(" ")}": it ${why}\n${tail}`);
}

/** Runs a program whose output goes to ours and returns its exit code. */
export async function passThrough(command: readonly string[], options: CommandOptions = {}): Promise<number> {
  const child = spawn(command, options, "inherit");
  const timer = killAfter(child, options.timeoutMs);
  try {
    return (await child.status).code;
  } finally {
    timer.stop();
  }
}

/** Writes one line for people to stderr. */
export function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** The first line of what any thrown value says. */
export function errorLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

function spawn(command: readonly string[], options: CommandOptions, output: "piped" | "inherit"): Deno.ChildProcess {
  const [program, ...args] = command;
  if (program === undefined) throw new TypeError("no command to run");
  return new Deno.Command(program, {
    args,
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: output,
    stderr: output,
    detached: options.timeoutMs !== undefined,
    clearEnv: options.clearEnv ?? false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
  }).spawn();
}

async function feed(child: Deno.ChildProcess, stdin: string | Uint8Array | undefined): Promise<void> {
  if (stdin === undefined) return;
  const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
  const writer = child.stdin.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch (error: unknown) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error; // It may end before it has read everything.
  }
}

interface KillTimer {
  hasFired(): boolean;
  stop(): void;
}

function killAfter(child: Deno.ChildProcess, timeoutMs: number | undefined): KillTimer {
  let isFired = false;
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => {
    isFired = true;
    try {
      Deno.kill(-child.pid, "SIGKILL");
    } catch (error: unknown) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // It ended by itself a moment ago.
    }
  }, timeoutMs);
  return { hasFired: () => isFired, stop: () => clearTimeout(timer) };
}
