import { deepEqual, equal, match, throws } from "node:assert/strict";
import { UnsupportedError } from "../../../src/errors.ts";
import { type Flag, type FlagValues, UsageError } from "../../../src/cli/flag.ts";
import { parseFlags } from "../../../src/cli/parse_flags.ts";

const FLAGS: readonly Flag[] = [
  { name: "destination", short: "d", kind: "list", summary: "Where to" },
  { name: "dockerfile", short: "f", kind: "text", initial: "Dockerfile", summary: "What" },
  { name: "tar-path", aliases: ["tarPath"], kind: "text", summary: "Archive" },
  { name: "force", kind: "boolean", initial: false, summary: "Do it" },
  { name: "retry", kind: "number", initial: 0, summary: "How often" },
  { name: "mode", kind: "text", initial: "full", choices: ["full", "time"], summary: "How" },
  { name: "check", kind: "text", initial: "no", bare: "yes", choices: ["no", "yes", "json"], summary: "Check" },
  { name: "cache", kind: "boolean", initial: false, support: "later", summary: "Cache" },
  { name: "old", kind: "boolean", initial: false, deprecated: "always so", summary: "Old" },
];
const TEXT = { name: "executor", summary: "Builds." };

function parse(...args: string[]): FlagValues {
  const parsed = parseFlags(args, FLAGS, TEXT);
  if (parsed.kind !== "values") throw new TypeError("help was not asked for");
  return parsed.values;
}

Deno.test("parseFlags gives initial values when nothing is given", () => {
  const values = parse();
  equal(values.text("dockerfile"), "Dockerfile");
  equal(values.optionalText("tar-path"), undefined);
  equal(values.isSet("force"), false);
  equal(values.number("retry"), 0);
  deepEqual(values.list("destination"), []);
  equal(values.isGiven("dockerfile"), false);
});

Deno.test("parseFlags takes the spellings of pflag when values are given in any of them", () => {
  deepEqual(parse("-d", "a", "-d=b", "-dc", "--destination", "x=y=z", "--destination=e").list("destination"), [
    "a",
    "b",
    "c",
    "x=y=z",
    "e",
  ]);
  equal(parse("--force").isSet("force"), true);
  equal(parse("--force=FALSE").isSet("force"), false);
  equal(parse("--force", "--force=false").isSet("force"), false);
  equal(parse("--check").text("check"), "yes");
  equal(parse("--check=json").text("check"), "json");
  equal(parse("--retry", "3").number("retry"), 3);
  equal(parse("--tarPath=x").text("tar-path"), "x");
  equal(parse("-f", "A", "-f", "B").text("dockerfile"), "B");
});

Deno.test("parseFlags names flag, value and what was expected when the command line is wrong", () => {
  const cases: readonly [args: string[], message: RegExp][] = [
    [["--retry=x"], /"x" for --retry: expected a whole number/],
    [["--force=maybe"], /"maybe" for --force: expected true or false/],
    [["--mode=fast"], /"fast" for --mode: expected one of full, time/],
    [["--nope"], /unknown option '--nope'/],
    [["--destination"], /argument missing/],
    [["stray"], /too many arguments/],
    [["--force", "stray"], /too many arguments/],
  ];
  for (const [args, message] of cases) {
    throws(
      () => parse(...args),
      (error: unknown) => error instanceof UsageError && message.test(error.message),
      args.join(" "),
    );
  }
});

Deno.test("parseFlags suggests the flag that was meant when one is near", () => {
  throws(
    () => parse("--destinaton=x"),
    (error: unknown) => error instanceof UsageError && /--destination/.test(error.hint ?? ""),
  );
});

Deno.test("parseFlags refuses a flag that is not supported yet unless its value turns it off", () => {
  throws(() => parse("--cache"), UnsupportedError);
  throws(() => parse("--cache=true"), /--cache: it is not supported yet/);
  equal(parse("--cache=false").isSet("cache"), false);
});

Deno.test("parseFlags gives a notice when a deprecated flag is used", () => {
  const parsed = parseFlags(["--old"], FLAGS, TEXT);
  deepEqual(parsed.kind === "values" && parsed.notices.map((notice) => notice.flag), ["old"]);
});

Deno.test("parseFlags gives the help when it is asked for", () => {
  const parsed = parseFlags(["--help"], FLAGS, { ...TEXT, footer: "More." });
  equal(parsed.kind, "help");
  const text = parsed.kind === "help" ? parsed.text : "";
  match(text, /--destination/);
  match(text, /More\./);
  match(text, /default Dockerfile/);
});
