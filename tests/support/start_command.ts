/** A program that runs while the test looks at it: what it has printed so far, and signals to it. */
import type { CommandOptions, CommandResult } from "./run_command.ts";

const POLL_MS = 10;

/** A running program. Disposing kills its process group. */
export interface StartedCommand extends AsyncDisposable {
  readonly pid: number;
  /** Settles when the program has ended and closed its output. */
  readonly result: Promise<CommandResult>;
  /** Waits until stderr contains `text`. Throws with all of stderr when the program ends before. */
  waitFor(text: string): Promise<void>;
  kill(signal: Deno.Signal): void;
}

/** Starts `command` in a process group of its own. */
export function startCommand(command: readonly string[], options: CommandOptions): StartedCommand {
  const [program = "", ...args] = command;
  const startedMs = performance.now();
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
  }).spawn();
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let isTimedOut = false;
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => {
    isTimedOut = true;
    killGroup(child.pid);
  }, options.timeoutMs);
  let isOver = false;
  const result = Promise.all([child.status, stdout.done, stderr.done]).then(([{ code }]) => {
    clearTimeout(timer);
    isOver = true;
    const durationMs = Math.round(performance.now() - startedMs);
    return { code, stdout: stdout.text(), stderr: stderr.text(), durationMs, isTimedOut };
  });
  return {
    pid: child.pid,
    result,
    async waitFor(text): Promise<void> {
      while (!stderr.text().includes(text)) {
        if (isOver) throw new Error(`"${text}" was not printed, but:\n${stderr.text()}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
    kill: (signal) => child.kill(signal),
    async [Symbol.asyncDispose](): Promise<void> {
      if (!isOver) killGroup(child.pid);
      await result;
    },
  };
}

function collect(stream: ReadableStream<Uint8Array>): { readonly done: Promise<void>; text(): string } {
  const decoder = new TextDecoder();
  let text = "";
  const drain = async (): Promise<void> => {
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  };
  return { done: drain(), text: () => text };
}

function killGroup(leader: number): void {
  try {
    Deno.kill(-leader, "SIGKILL");
  } catch (error: unknown) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // It ended a moment ago.
  }
}
