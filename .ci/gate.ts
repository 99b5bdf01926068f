/**
 * The gate. `deno task ok` checks format, lint and types and runs the architecture, unit and doc tests; `deno task test` does
 * the same, sets up what the conformance and end-to-end tests need, and runs them too; `deno task test:parity` compares all of
 * `fixtures/builds` with BuildKit; `deno task oldest` runs the unit tests
 * on the oldest Deno that is supported. The last line tells the counts.
 */
import { passThrough, runCommand, say } from "../tests/support/run_command.ts";
import { countResults, type TestCounts } from "./test_counts.ts";

const PROJECT_ROOT = new URL("..", import.meta.url).pathname;
const REPORT_FOLDER = `${PROJECT_ROOT}dist/reports`;
const OLDEST_DENO = "2.4.2";
const SLOW_TIMEOUT_MS = 25 * 60_000;

/** One step of the gate: a Deno subcommand, and where its test report goes if it runs tests. */
interface Step {
  readonly title: string;
  readonly args: readonly string[];
  /** Another Deno than the one that runs the gate. */
  readonly deno?: readonly string[];
  readonly report?: string;
  readonly timeoutMs?: number;
  /** Is left out when the set-up has failed: every test would fail for the same reason. */
  readonly needsSetUp?: boolean;
  /** Prints what a test run says only where something failed. */
  readonly isTerse?: boolean;
}

const SET_UP: Step = { title: "set-up", args: ["run", "-A", "--frozen", "tests/support/set_up.ts"] };

/** The steps that need nothing but the sources. */
async function fastSteps(): Promise<readonly Step[]> {
  const checked = ["src", "tests", ...await typeScriptFiles(".ci"), ...await typeScriptFiles("")];
  const paths = ["tests/architecture", "tests/unit", "src"];
  const tests = testStep("architecture, unit and doc tests", "fast", ["--doc"], paths);
  return [
    { title: "format", args: ["fmt", "--check"] },
    { title: "lint", args: ["lint", "--quiet"] },
    { title: "types", args: ["check", "--quiet", "--frozen", "--doc", ...checked] },
    { ...tests, isTerse: true },
  ];
}

/** The step that needs what the set-up makes: packages, the binaries, root. */
function slowStep(): Step {
  const tests = testStep("conformance and end-to-end tests", "slow", [], [
    "tests/conformance",
    "tests/e2e",
    "tests/parity",
  ]);
  return { ...tests, needsSetUp: true, timeoutMs: SLOW_TIMEOUT_MS };
}

/** All of the comparison with Docker's BuildKit; the slow step builds a part of the fixtures with it. */
function paritySteps(): readonly Step[] {
  const paths = ["tests/conformance/builds_test.ts", "tests/parity"];
  return [{ ...testStep("comparison with BuildKit", "parity", [], paths), timeoutMs: SLOW_TIMEOUT_MS }];
}

/** The unit tests on the oldest Deno whose runtime base the compiled program may have. */
function oldestSteps(): readonly Step[] {
  const tests = testStep(`unit tests on Deno ${OLDEST_DENO}`, "oldest", [], ["tests/unit"]);
  return [{ ...tests, deno: ["npx", "-y", `deno@${OLDEST_DENO}`], isTerse: true }];
}

/** The steps by the task's argument. */
async function chooseSteps(name: string | undefined): Promise<readonly Step[]> {
  if (name === "oldest") return oldestSteps();
  if (name === "parity") return paritySteps();
  const fast = await fastSteps();
  return name === "test" ? [SET_UP, ...fast, slowStep()] : fast;
}

function testStep(title: string, name: string, flags: readonly string[], paths: readonly string[]): Step {
  const report = `${REPORT_FOLDER}/${name}.xml`;
  const args = [
    "test",
    "-A",
    "--quiet",
    "--no-check",
    "--frozen",
    "--permit-no-files",
    `--junit-path=${report}`,
    ...flags,
    ...paths,
  ];
  return { title, args, report };
}

async function typeScriptFiles(folder: string): Promise<readonly string[]> {
  const prefix = folder === "" ? "" : `${folder}/`;
  const names = (await Array.fromAsync(Deno.readDir(`${PROJECT_ROOT}${folder}`))).map((entry) => entry.name);
  return names.filter((name) => name.endsWith(".ts")).map((name) => `${prefix}${name}`).sort();
}

async function execute(step: Step): Promise<number> {
  const command = [...step.deno ?? [Deno.execPath()], ...step.args];
  const options = { cwd: PROJECT_ROOT, ...step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs } };
  if (!step.isTerse) return await passThrough(command, options);
  const { code, stdout, stderr } = await runCommand(command, { ...options, env: { NO_COLOR: "1" } });
  if (code !== 0) say(stdout.slice(Math.max(0, stdout.indexOf(" ERRORS "))) + stderr);
  return code;
}

/** Runs one step; a step that fails without a failed test counts as one failure. */
async function runStep(step: Step): Promise<TestCounts> {
  say(`\n== ${step.title}`);
  const startedMs = performance.now();
  if (step.report !== undefined) await Deno.remove(step.report).catch(() => undefined); // None from an earlier run.
  const code = await execute(step);
  const counts = step.report === undefined ? { passed: 0, failed: 0 } : await countResults(step.report);
  const tally = step.report === undefined ? "" : `, ${counts.passed} passed, ${counts.failed} failed`;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  say(`== ${step.title}: ${code === 0 ? "ok" : `failed with exit code ${code}`} (${seconds} s${tally})`);
  return code === 0 ? counts : { ...counts, failed: Math.max(1, counts.failed) };
}

/** Runs the steps, also after a failure, so that one run tells everything. */
async function runGate(steps: readonly Step[]): Promise<TestCounts> {
  await Deno.mkdir(REPORT_FOLDER, { recursive: true });
  let total: TestCounts = { passed: 0, failed: 0 };
  let isSetUp = false;
  for (const step of steps) {
    if (step.needsSetUp && !isSetUp) continue;
    const counts = await runStep(step);
    if (step === SET_UP) isSetUp = counts.failed === 0;
    total = { passed: total.passed + counts.passed, failed: total.failed + counts.failed };
  }
  return total;
}

if (import.meta.main) {
  const steps = await chooseSteps(Deno.args[0]);
  const { passed, failed } = await runGate(steps);
  await Deno.stdout.write(new TextEncoder().encode(`\n${passed} passed, ${failed} failed\n`));
  Deno.exit(failed === 0 && passed > 0 ? 0 : 1);
}
