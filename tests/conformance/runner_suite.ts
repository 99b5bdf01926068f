/** What every Runner must do, whatever it isolates with: the suite that each implementation is put through. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { exitCodeOf, RunError } from "../../src/runner/runner.ts";
import type { Patience } from "../../src/runner/supervise.ts";
import { rawPath } from "../../src/sys/raw_path.ts";
import { listDirectory } from "../../src/sys/walk.ts";
import { NEVER, QUICK, RunnerScene, type RunnerSubject } from "../support/runner_scene.ts";

/** Makes a fresh subject for one test. */
export type RunnerFactory = (patience: Patience) => Promise<RunnerSubject>;

const BIG_OUTPUT_BYTES = 50 * 1024 * 1024;

/** Registers the suite under `name`. */
export function runnerSuite(name: string, factory: RunnerFactory): void {
  const test = (what: string, body: (scene: RunnerScene) => Promise<void>, patience = QUICK): void =>
    Deno.test(`${name} ${what}`, async () => {
      await using scene = new RunnerScene(await factory(patience));
      await body(scene);
      deepEqual(scene.processes(), [], "processes are left");
    });
  identityTests(test);
  endingTests(test);
  leftoverTests(test);
  abortTests(test);
  lookupTests(test);
  outputTests(test);
}

type Register = (what: string, body: (scene: RunnerScene) => Promise<void>, patience?: Patience) => void;

function identityTests(test: Register): void {
  test("gives exactly the environment of the spec", async (scene) => {
    const env = ["A=1", "EMPTY=", "B=x y=z\nw", "Ü=ü", scene.token];
    equal(await scene.run(["env", "-0"], { env: ["PATH=/usr/bin:/bin", ...env] }), 0);
    deepEqual(scene.output.stdout.split("\0").slice(0, -1).sort(), ["PATH=/usr/bin:/bin", ...env].sort());
  });

  test("gives uid, gid and groups, and nothing of ours", async (scene) => {
    equal(await scene.shell("id -u; id -g; id -G", { uid: 1234, gid: 2345, groups: [7, 4242] }), 0);
    equal(scene.output.stdout, "1234\n2345\n2345 7 4242\n");
    scene.output.stdout = "";
    equal(await scene.shell("id -u; id -g; id -G"), 0);
    equal(scene.output.stdout, "0\n0\n0\n");
  });

  test("gives no capability but to root, and default signals", async (scene) => {
    if (!scene.subject.hasProc) return;
    equal(await scene.run(["/bin/cat", "/proc/self/status"], { uid: 1234, gid: 2345 }), 0);
    for (const set of ["CapEff", "CapPrm", "CapInh", "CapAmb", "SigBlk"]) {
      match(scene.output.stdout, new RegExp(`^${set}:\\s*0000000000000000$`, "m"));
    }
    // Bit 31 is a signal of the C library, which nobody can set.
    match(scene.output.stdout, /^SigIgn:\t00000000[08]0000000$/m);
    match(scene.output.stdout, /^Uid:\t1234\t1234\t1234\t1234$/m);
    match(scene.output.stdout, /^Gid:\t2345\t2345\t2345\t2345$/m);
    match(scene.output.stdout, /^Groups:\s*$/m);
  });

  test("starts in the working directory with umask 0022", async (scene) => {
    equal(
      await scene.shell("pwd; umask", { workdir: scene.subject.inside }),
      0,
    );
    const [folder, mask] = scene.output.stdout.split("\n");
    deepEqual([folder, mask], [scene.subject.inside, "0022"]);
  });

  test("enters a working directory that the user could not", async (scene) => {
    await Deno.mkdir(`${scene.subject.outside}/closed/in`, { recursive: true });
    await Deno.chmod(`${scene.subject.outside}/closed`, 0o700);
    const workdir = `${scene.subject.inside}/closed/in`;
    equal(await scene.shell(`ls ${scene.subject.inside}/closed`, { workdir, uid: 1234, gid: 1234 }) === 0, false);
    match(scene.output.stderr, /denied/);
  });

  test("gives an empty stdin", async (scene) => {
    equal(await scene.shell("cat | wc -c"), 0);
    equal(scene.output.stdout.trim(), "0");
  });

  test("passes argv word by word", async (scene) => {
    equal(await scene.run(["sh", "-c", 'printf "[%s]" "$@"', "sh", "a b", "", "'\"$x", "ü\n"]), 0);
    equal(scene.output.stdout, "[a b][]['\"$x][ü\n]");
  });
}

function endingTests(test: Register): void {
  for (const code of [0, 1, 42, 126, 127, 255]) {
    test(`tells exit code ${code}`, async (scene) => equal(await scene.shell(`exit ${code}`), code));
  }

  test("tells 128+n when a child of the shell dies by a signal", async (scene) => {
    equal(await scene.shell("sh -c 'kill -9 $$'; exit $?"), 137);
  });

  test("tells the signal when the command itself dies by one", async (scene) => {
    const spec = scene.spec(["/bin/sh", "-c", "echo on; ulimit -t 1; while :; do :; done"]);
    const status = await scene.subject.runner.run(spec, scene.output, new AbortController().signal);
    deepEqual([status.kind, status.kind === "signalled" && status.signal, exitCodeOf(status)], [
      "signalled",
      "SIGKILL",
      137,
    ]);
    deepEqual(status.lastLines, ["on"]);
    ok(status.durationMs > 100);
  });
}

function leftoverTests(test: Register): void {
  const daemons = {
    "a background process": "sleep 1000 &",
    "a process in a session of its own": "setsid sleep 1000 & sleep 0.1",
    "a double fork into a new session": "(setsid sh -c 'sleep 1000 & sleep 1000' &) ; sleep 0.1",
    "processes that ignore signals": "(trap '' HUP TERM INT; setsid sleep 1000 & sleep 1000 &) ; sleep 0.1",
    "a hundred sessions": "i=0; while [ $i -lt 100 ]; do setsid sleep 1000 & i=$((i+1)); done",
    "a process with an empty environment and closed output": "setsid env -i sleep 1000 >/dev/null 2>&1 </dev/null &",
  };
  for (const [what, script] of Object.entries(daemons)) {
    test(`ends ${what}, which holds the output open`, async (scene) => {
      equal(await scene.shell(`${script.replaceAll("1000", scene.sleepSeconds)}\necho out; exit 5`), 5);
      equal(scene.output.stdout, "out\n");
    }, NEVER);
  }

  test("leaves no zombie", async (scene) => {
    equal(await scene.shell("(setsid true &); (setsid sleep 1000 &); sleep 0.1"), 0);
    const zombies = listDirectory(rawPath("/proc")).filter((name) => {
      const stat = /^\d+$/.test(name) ? readText(`/proc/${name}/stat`) : "";
      return stat.includes(`) Z ${Deno.pid} `);
    });
    deepEqual(zombies, []);
  });

  test("leaves a process alone that we had before", async (scene) => {
    const other = new Deno.Command("/bin/sleep", { args: ["1000"], detached: true }).spawn();
    try {
      equal(await scene.shell("sleep 1000 &"), 0);
      match(readText(`/proc/${other.pid}/stat`), /\(sleep\) S/);
    } finally {
      other.kill("SIGKILL");
      await other.status;
    }
  });
}

function abortTests(test: Register): void {
  test("ends everything and rejects with the reason when aborted", async (scene) => {
    const abort = new AbortController();
    const reason = new Error("enough");
    scene.output.onWrite = () => abort.abort(reason);
    const script = "trap '' TERM; setsid sleep 1000 & (sleep 1000 &); echo ready; while :; do sleep 1; done";
    await rejects(scene.shell(script, {}, abort.signal), reason);
  });

  test("lets the command clean up when aborted", async (scene) => {
    const abort = new AbortController();
    scene.output.onWrite = () => abort.abort(new Error("enough"));
    const script = "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    await rejects(scene.shell(script, {}, abort.signal), /enough/);
    equal(scene.output.stdout, "ready\ncleaned\n");
  }, NEVER);

  test("ends a command that has no handler at once when aborted", async (scene) => {
    const abort = new AbortController();
    scene.output.onWrite = () => abort.abort(new Error("enough"));
    await rejects(scene.shell("echo ready; exec sleep 1000", {}, abort.signal), /enough/);
  }, NEVER);

  test("starts nothing when aborted before", async (scene) => {
    const marker = `${scene.subject.inside}/started`;
    await rejects(scene.shell(`: > ${marker}`, {}, AbortSignal.abort(new Error("early"))), /early/);
    equal(readText(`${scene.subject.outside}/started`), "");
    await rejects(Deno.lstat(`${scene.subject.outside}/started`), Deno.errors.NotFound);
  });
}

function lookupTests(test: Register): void {
  const failing = async (
    scene: RunnerScene,
    argv: readonly string[],
    exitCode: number,
    text: RegExp,
  ): Promise<void> => {
    await rejects(scene.run(argv), (error: unknown) => {
      ok(error instanceof RunError, String(error));
      match(error.message, text);
      equal(error.exitCode, exitCode);
      return true;
    });
  };

  test("says what is not found", async (scene) => {
    const { inside } = scene.subject;
    await failing(scene, ["no-such-command"], 127, /exec: "no-such-command": executable file not found in \$PATH/);
    await failing(scene, [`${inside}/nothing`], 127, /exec: "\S*\/nothing": no such file or directory/);
    await failing(scene, [""], 127, /the command is empty/);
  });

  test("says what is not executable", async (scene) => {
    const { inside, outside } = scene.subject;
    await Deno.writeTextFile(`${outside}/plain`, "text", { mode: 0o644 });
    await Deno.writeTextFile(`${outside}/nonsense`, "\x7fnonsense", { mode: 0o755 });
    await failing(scene, [`${inside}/plain`], 126, /permission denied/);
    await failing(scene, [inside], 126, /is a directory/);
    await failing(scene, [`${inside}/nonsense`], 126, /[Ee]xec format error/);
  });

  test("names the interpreter that is missing", async (scene) => {
    await Deno.writeTextFile(`${scene.subject.outside}/script`, "#! /no/such/bash -e\n", { mode: 0o755 });
    await failing(
      scene,
      [`${scene.subject.inside}/script`],
      127,
      /its interpreter "\/no\/such\/bash" is not in the image/,
    );
  });

  test("refuses a command that the user may not execute", async (scene) => {
    await Deno.writeTextFile(`${scene.subject.outside}/mine`, "#!/bin/sh\n", { mode: 0o700 });
    const spec = scene.spec([`${scene.subject.inside}/mine`], { uid: 1234, gid: 1234 });
    const run = scene.subject.runner.run(spec, scene.output, new AbortController().signal);
    await rejects(run, { name: "RunError", exitCode: 126, message: /permission denied/ });
  });

  test("takes the first executable of PATH, relative folders from the working directory", async (scene) => {
    const { inside, outside } = scene.subject;
    await Deno.mkdir(`${outside}/a`);
    await Deno.mkdir(`${outside}/b`);
    await Deno.writeTextFile(`${outside}/a/tool`, "#!/bin/sh\necho a\n", { mode: 0o644 });
    await Deno.writeTextFile(`${outside}/b/tool`, "#!/bin/sh\necho b\n", { mode: 0o755 });
    const env = [`PATH=${inside}/a:b:/usr/bin:/bin`, scene.token];
    equal(await scene.run(["tool"], { env, workdir: inside }), 0);
    equal(scene.output.stdout, "b\n");
  });
}

function outputTests(test: Register): void {
  test("lets any user open /dev/stdout and /dev/stderr", async (scene) => {
    if (!scene.subject.hasProc) return;
    const script = "sleep 0.05; echo out > /dev/stdout; echo err > /dev/stderr";
    equal(await scene.shell(script, { uid: 1234, gid: 1234 }), 0);
    deepEqual([scene.output.stdout, scene.output.stderr], ["out\n", "err\n"]);
  });

  test("passes 50 MB on without loss and in bounded memory", async (scene) => {
    const before = Deno.memoryUsage().rss;
    equal(await scene.shell(`head -c ${BIG_OUTPUT_BYTES} /dev/zero; printf END >&2`), 0);
    equal(scene.output.bytes, BIG_OUTPUT_BYTES + 3);
    equal(scene.output.stderr, "END");
    ok(Deno.memoryUsage().rss - before < 150 * 1024 * 1024, "memory grew with the output");
  });

  test("ends the command and rejects when the output is refused", async (scene) => {
    scene.output.onWrite = () => {
      throw new Error("disk full");
    };
    await rejects(scene.shell("echo x; exec sleep 1000"), /disk full/);
  }, NEVER);
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
