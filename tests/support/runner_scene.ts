/** The surroundings of a runner test: what it runs in, what it put out, and what it left. */
import { exitCodeOf, type Runner, type RunOutput, type RunSpec } from "../../src/runner/runner.ts";
import type { Patience } from "../../src/runner/supervise.ts";
import type { RawPath } from "../../src/sys/raw_path.ts";

/** A runner and a root it can run in: with /bin/sh and the usual small programs in /bin or /usr/bin. */
export interface RunnerSubject extends AsyncDisposable {
  readonly runner: Runner;
  readonly root: RawPath;
  /** A folder inside the root that anybody may enter and only root may write, as the command and as the test see it. */
  readonly inside: string;
  readonly outside: string;
  /** Whether commands see a /proc. */
  readonly hasProc: boolean;
}

/** For tests in which patience runs out. */
export const QUICK: Patience = { terminateGraceMs: 100, drainGraceMs: 300, now: () => performance.now() };
/** Long enough that a test which needed it would be seen to hang. */
export const NEVER: Patience = { ...QUICK, terminateGraceMs: 600_000, drainGraceMs: 600_000 };

/** Collects output, and what else a test wants to see. */
export class CollectedOutput implements RunOutput {
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  stdout = "";
  stderr = "";
  bytes = 0;
  onWrite: (() => void) | undefined;

  write(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (this[stream].length < 100_000) this[stream] += this.#decoders[stream].decode(bytes, { stream: true });
    this.onWrite?.();
  }
}

/** A subject with one token in the environment of all its commands, so that what is left of them can be found. */
export class RunnerScene implements AsyncDisposable {
  readonly token = `RUN_TOKEN=${crypto.randomUUID()}`;
  /** A duration that no other process sleeps for, so that it is found even without an environment. */
  readonly sleepSeconds = `9${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  readonly output = new CollectedOutput();
  constructor(readonly subject: RunnerSubject) {}

  spec(argv: readonly string[], change: Partial<RunSpec> = {}): RunSpec {
    const env = ["PATH=/usr/bin:/bin", this.token];
    return { root: this.subject.root, argv, env, workdir: "/", uid: 0, gid: 0, groups: [], ...change };
  }

  async run(
    argv: readonly string[],
    change: Partial<RunSpec> = {},
    signal = new AbortController().signal,
  ): Promise<number> {
    return exitCodeOf(await this.subject.runner.run(this.spec(argv, change), this.output, signal));
  }

  shell(script: string, change: Partial<RunSpec> = {}, signal?: AbortSignal): Promise<number> {
    return this.run(["/bin/sh", "-c", script], change, signal);
  }

  /** Processes that still carry the token: zombies have no environment, and are looked for by their parent. */
  processes(): number[] {
    const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
    return pids.filter((pid) => {
      try {
        return Deno.readTextFileSync(`/proc/${pid}/environ`).includes(this.token) ||
          Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(this.sleepSeconds);
      } catch {
        return false;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.subject[Symbol.asyncDispose]();
  }
}
