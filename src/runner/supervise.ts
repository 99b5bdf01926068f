/**
 * From a spawned command to its end: its output is passed on as it comes, a request to stop is obeyed, and after it ended
 * nothing of it is left, be it a daemon in its own session or one that holds the output open.
 */
import { catchesSignal } from "../sys/process_table.ts";
import { SIGNAL_NUMBERS, signalGroup } from "../sys/process.ts";
import { OutputTail } from "./output_tail.ts";
import type { ExitStatus, RunOutput } from "./runner.ts";

/** How patient a runner is, and its clock. */
export interface Patience {
  /** Between SIGTERM and SIGKILL when a command is asked to stop. */
  readonly terminateGraceMs: number;
  /** How long output may be silent after everything has been ended, before it is given up. */
  readonly drainGraceMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** The patience of a build. */
export const DEFAULT_PATIENCE: Patience = {
  terminateGraceMs: 5000,
  drainGraceMs: 2000,
  now: () => performance.now(),
};

/** A command that runs. */
export interface SupervisedCommand {
  /** Spawned as leader of its own session, stdout and stderr piped. */
  readonly child: Deno.ChildProcess;
  /** Whether the child is the first process of a PID namespace, which no signal ends that it does not catch. */
  readonly isNamespaceInit: boolean;
  /** Ends all that the command has left, after the child has ended. */
  readonly endRest: () => Promise<void>;
}

/** Waits for the command. Rejects with the signal's reason when aborted; in every case nothing of it is alive then. */
export async function supervise(
  command: SupervisedCommand,
  output: RunOutput,
  signal: AbortSignal,
  patience: Patience,
): Promise<ExitStatus> {
  const startMs = patience.now();
  const tail = new OutputTail();
  const stop = new StopRequest(command, patience);
  using _listening = stop.listen(signal);
  const pumps = new OutputPumps(command.child, tail, output, () => stop.request());
  const status = await command.child.status;
  stop.done();
  const durationMs = patience.now() - startMs;
  await command.endRest();
  await pumps.finish(patience.drainGraceMs);
  signal.throwIfAborted();
  return exitStatus(status, { durationMs, lastLines: tail.lines() });
}

function exitStatus(
  status: Deno.CommandStatus,
  facts: { readonly durationMs: number; readonly lastLines: readonly string[] },
): ExitStatus {
  if (status.signal === null) return { kind: "exited", code: status.code, ...facts };
  return { kind: "signalled", signal: status.signal, signalNumber: status.code - 128, ...facts };
}

/** SIGTERM to the whole session's first group, SIGKILL when that did not help in time. */
class StopRequest {
  readonly #command: SupervisedCommand;
  readonly #patience: Patience;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDone = false;

  constructor(command: SupervisedCommand, patience: Patience) {
    this.#command = command;
    this.#patience = patience;
  }

  listen(signal: AbortSignal): Disposable {
    const listener = (): void => this.request();
    signal.addEventListener("abort", listener);
    if (signal.aborted) listener();
    return { [Symbol.dispose]: () => signal.removeEventListener("abort", listener) };
  }

  request(): void {
    if (this.#isDone || this.#timer !== undefined) return;
    const { child: { pid }, isNamespaceInit } = this.#command;
    const kill = (): void => signalGroup(pid, SIGNAL_NUMBERS.SIGKILL);
    // The first process of a namespace that has no handler does not hear SIGTERM. Its children do: a shell would go on with
    // the commands after the one that ended.
    const isDeaf = isNamespaceInit && !catchesSignal(pid, SIGNAL_NUMBERS.SIGTERM);
    if (isDeaf) kill();
    else signalGroup(pid, SIGNAL_NUMBERS.SIGTERM);
    this.#timer = setTimeout(kill, this.#patience.terminateGraceMs);
  }

  done(): void {
    this.#isDone = true;
    clearTimeout(this.#timer);
  }
}

/** Reads both streams to their ends. */
class OutputPumps {
  readonly #readers: readonly ReadableStreamDefaultReader<Uint8Array>[];
  readonly #ended: Promise<readonly PromiseSettledResult<void>[]>;
  #chunks = 0;

  constructor(child: Deno.ChildProcess, tail: OutputTail, output: RunOutput, onFailure: () => void) {
    const streams = (["stdout", "stderr"] as const).map((name) => ({ name, reader: child[name].getReader() }));
    this.#readers = streams.map((stream) => stream.reader);
    this.#ended = Promise.allSettled(streams.map(async ({ name, reader }) => {
      try {
        for (let next = await reader.read(); !next.done; next = await reader.read()) {
          this.#chunks++;
          tail.add(name, next.value);
          output.write(name, next.value);
        }
      } catch (error: unknown) {
        onFailure();
        await reader.cancel().catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
    }));
  }

  /** Waits for the ends; gives up when nothing comes for `graceMs`. Rejects with the first failure of reading or writing. */
  async finish(graceMs: number): Promise<void> {
    for (let seen = -1; seen !== this.#chunks;) {
      seen = this.#chunks;
      if (await settlesWithin(this.#ended, graceMs)) break;
    }
    await Promise.all(this.#readers.map((reader) => reader.cancel().catch(() => undefined)));
    for (const result of await this.#ended) if (result.status === "rejected") throw result.reason;
  }
}

async function settlesWithin(promise: Promise<unknown>, graceMs: number): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, graceMs, false);
  try {
    return await Promise.race([promise.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
