import { deepEqual, equal, match } from "node:assert/strict";
import { run } from "../../../src/cli/cli.ts";
import type { CliProcess } from "../../../src/cli/cli_process.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function cli(args: readonly string[], more: Partial<CliProcess> = {}): Promise<Ran> {
  let out = "";
  let err = "";
  const decoder = new TextDecoder();
  const status = await run({
    args,
    env: {},
    version: "1.2.3",
    writeOut: (text) => void (out += text),
    writeErr: (bytes) => void (err += decoder.decode(bytes, { stream: true })),
    readIn: () => Promise.resolve(""),
    signal: new AbortController().signal,
    selfCommand: [],
    currentDirectory: "/",
    ...more,
  });
  return { status, out, err };
}

Deno.test("run prints version and help on stdout", async () => {
  deepEqual(await cli(["version"]), { status: 0, out: "kiln 1.2.3\n", err: "" });
  const help = await cli(["--help"]);
  equal(help.status, 0);
  match(help.out, /--destination/);
  equal(help.err, "");
});

Deno.test("run tells what is wrong with the command line on stderr, with status 2", async () => {
  const cases: readonly [args: string[], text: RegExp][] = [
    [["bulid"], /Cannot run "bulid"/],
    [["--nope"], /--nope/],
    [[], /no --destination/],
  ];
  for (const [args, text] of cases) {
    const { status, out, err } = await cli(args);
    deepEqual([status, out], [2, ""], args.join(" "));
    match(err, text);
  }
});

Deno.test("run builds, with the digest as the only line on stdout", async () => {
  await using temp = await makeTempDir();
  await Deno.writeTextFile(`${temp.path}/Dockerfile`, "FROM scratch\nCOPY Dockerfile /\n");
  const args = [
    "--context",
    temp.path,
    "--no-push",
    "--isolation=chroot",
    `--kaniko-dir=${temp.path}/work`,
    "--log-format=json",
  ];
  const { status, out, err } = await cli(args);
  equal(status, 0, err);
  match(out, /^sha256:[0-9a-f]{64}\n$/);
  for (const line of err.trim().split("\n")) equal(typeof JSON.parse(line).msg, "string");
});

Deno.test("run shows file, line and code when the Dockerfile is wrong", async () => {
  await using temp = await makeTempDir();
  await Deno.writeTextFile(`${temp.path}/Dockerfile`, "FROM scratch\nRUNN x\n");
  const text = await cli(["--context", temp.path, "--no-push", "--log-format=text"]);
  equal(text.status, 3);
  match(text.err, /Dockerfile:2\n/);
  match(text.err, /> 2 \| RUNN x/);
  const json = await cli(["--context", temp.path, "--no-push", "--log-format=json"]);
  const { level, code, line } = JSON.parse(json.err);
  deepEqual([level, code, line], ["error", "dockerfile", 2]);
});

Deno.test("run knows the commands that its help lists, each with a help of its own", async () => {
  const { out } = await cli(["--help"]);
  const commands = [...out.matchAll(/^ {2}executor ([a-z]+) /gm)].map(([, name = ""]) => name);
  deepEqual(commands, ["login", "push", "copy", "inspect", "index", "version"]);
  for (const name of commands.slice(0, -1)) {
    const help = await cli([name, "--help"]);
    equal(help.status, 0, name);
    match(help.out, new RegExp(`^Usage: executor ${name} \\[options\\] <`));
  }
});

Deno.test("run prints the report of --check on stdout, as JSON where that is wanted, and fails for violations", async () => {
  await using temp = await makeTempDir();
  const check = async (text: string, ...args: string[]): Promise<Ran> => {
    await Deno.writeTextFile(`${temp.path}/Dockerfile`, text);
    return await cli(["--context", temp.path, ...args]);
  };
  deepEqual(await check("FROM scratch\n", "--check"), {
    status: 0,
    out: "Check complete, no warnings found.\n",
    err: "",
  });
  const text = await check("FROM scratch\nMAINTAINER x\n", "--check");
  deepEqual([text.status, text.err], [3, ""]);
  match(text.out, /1 warning has been found![^]*Dockerfile:2\n/);
  for (const args of [["--check=json"], ["--check", "--log-format=json"]]) {
    const json = await check("FROM scratch\nMAINTAINER x\nBAD\n", ...args);
    const { warnings, buildError } = JSON.parse(json.out);
    equal(json.status, 3);
    deepEqual(warnings.map((warning: { readonly ruleName: string }) => warning.ruleName), ["MaintainerDeprecated"]);
    match(buildError.message, /unknown instruction/);
    deepEqual(buildError.location.ranges[0].start, { line: 3 });
  }
  match((await check("FROM scratch\n", "--check=text", "--log-format=json")).out, /^Check complete/);
  deepEqual([...Deno.readDirSync(temp.path)].map(({ name }) => name), ["Dockerfile"]);
});
