/**
 * Golden directories of `fixtures/dockerfile`, and properties of the whole parser. To write the goldens anew, and then to
 * review them: `deno test -A tests/unit/dockerfile/parse_dockerfile_test.ts -- --update`.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Dockerfile, DockerfileError, type Stage } from "../../../src/dockerfile/instruction.ts";
import { parseDockerfile, parseTrigger } from "../../../src/dockerfile/parse_dockerfile.ts";
import { formatDockerfile } from "../../support/format_dockerfile.ts";
import { DOCKERFILE_PARTS, withoutPlace } from "./_dockerfile_arbitrary.ts";

const FIXTURES = new URL("../../../fixtures/dockerfile/", import.meta.url);
const RANGE = { startLine: 7, endLine: 8 };

/** The tree, or the text of the error, as the golden file holds it. */
function outcome(source: Uint8Array): { readonly file: string; readonly text: string } {
  try {
    return { file: "expected.json", text: `${JSON.stringify(parseDockerfile(source), undefined, 2)}\n` };
  } catch (error: unknown) {
    if (!(error instanceof DockerfileError)) throw error;
    return { file: "error.txt", text: [error, ...error.others].map(describe).join("") };
  }
}

function describe({ range, message, hint }: DockerfileError): string {
  const place = range === undefined
    ? "file"
    : range.startLine === range.endLine
    ? `line ${range.startLine}`
    : `lines ${range.startLine}-${range.endLine}`;
  return `${place}: ${message}\n${hint === undefined ? "" : `  ${hint}\n`}`;
}

for (const { name } of Deno.readDirSync(FIXTURES)) {
  Deno.test(`parseDockerfile gives the golden outcome when it reads fixture ${name}`, () => {
    const directory = new URL(`${name}/`, FIXTURES);
    const { file, text } = outcome(Deno.readFileSync(new URL("Dockerfile", directory)));
    if (Deno.args.includes("--update")) Deno.writeTextFileSync(new URL(file, directory), text);
    assert.deepEqual([...Deno.readDirSync(directory)].map((entry) => entry.name).sort(), ["Dockerfile", file].sort());
    assert.equal(text, Deno.readTextFileSync(new URL(file, directory)));
  });
}

const FRAGMENTS = [
  ..."FROM |RUN |COPY |ADD |ENV |ARG |LABEL |ONBUILD |HEALTHCHECK |CMD |VOLUME |EXPOSE |# escape=`\n|# check=skip=all\n"
    .split("|"),
  ...'a b|<<EOF|EOF\n|\\\n|`\n|\n|\r\n|--from=x |--mount=|["a"]|[1]|\'|"|$|${|}|=|# |AS |\u00a0|\u2028|\ud800|\ufeff'
    .split("|"),
];

Deno.test("parseDockerfile throws nothing but DockerfileError when it reads any text", () => {
  const text = fc.array(fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string())).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (source) => {
      assertParsesOrRefuses(new TextEncoder().encode(source));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseDockerfile throws nothing but DockerfileError when it reads any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), assertParsesOrRefuses));
});

function assertParsesOrRefuses(source: Uint8Array): void {
  let parsed: Dockerfile;
  try {
    parsed = parseDockerfile(source);
  } catch (error: unknown) {
    assert.ok(error instanceof DockerfileError, String(error));
    return;
  }
  const ranges = parsed.stages.flatMap(({ from, instructions }) => [from, ...instructions]).map(({ range }) => range);
  for (const [index, range] of ranges.entries()) {
    assert.ok(range.startLine <= range.endLine);
    assert.ok(index === 0 || (ranges[index - 1]?.endLine ?? 0) < range.startLine, "ranges follow one another");
  }
}

Deno.test("parseDockerfile keeps the words of RUN when they hold no line end", () => {
  const word = fc.stringMatching(/^[a-z0-9$"'{}[\]]{1,8}$/).filter((text) => !text.startsWith("["));
  fc.assert(fc.property(fc.array(word, { minLength: 1 }), (words) => {
    const parsed = parseDockerfile(new TextEncoder().encode(`FROM a\nRUN ${words.join(" \\\n")}\n`));
    const [run] = parsed.stages[0]?.instructions ?? [];
    assert.ok(run?.kind === "RUN");
    assert.deepEqual(run.command, { kind: "shell", text: words.join(" ") });
  }));
});

Deno.test("parseTrigger gives an instruction at the range of FROM when the trigger is sound", () => {
  assert.deepEqual(parseTrigger("COPY <<A \\\n  /d\nx\nA", RANGE), {
    kind: "COPY",
    range: RANGE,
    raw: "COPY <<A   /d",
    sources: [],
    heredocs: [{ name: "A", expand: true, stripTabs: false, fd: 0, content: "x\n" }],
    destination: "/d",
    link: false,
    parents: false,
    exclude: [],
  });
});

for (
  const { trigger, cause } of [
    { trigger: "", cause: /the trigger must be one instruction/ },
    { trigger: "RUN a\nRUN b", cause: /the trigger must be one instruction/ },
    { trigger: "FROM x", cause: /FROM isn't allowed as an ONBUILD trigger/ },
    { trigger: "ONBUILD RUN x", cause: /ONBUILD isn't allowed as an ONBUILD trigger/ },
    { trigger: "COPY --from=$x a b", cause: /variable expansion is not supported for --from/ },
    { trigger: "RUN <<EOF", cause: /unterminated heredoc/ },
    { trigger: "RUNN x", cause: /unknown instruction/ },
  ]
) {
  Deno.test(`parseTrigger throws DockerfileError at FROM when the trigger is ${JSON.stringify(trigger)}`, () => {
    assert.throws(() => parseTrigger(trigger, RANGE), (error: unknown) => {
      assert.ok(error instanceof DockerfileError);
      assert.match(error.message, /^Cannot run ONBUILD trigger "/);
      assert.match(error.message, cause);
      assert.deepEqual(error.range, RANGE);
      return true;
    });
  });
}

Deno.test("parseTrigger gives what the instruction would be without ONBUILD when the trigger has heredocs", () => {
  const text = "COPY --link <<A <<-'B C' x /d/\n$a\nA\n\t\tb\n\tB C\n";
  const encode = (source: string): Uint8Array => new TextEncoder().encode(source);
  const [direct] = parseDockerfile(encode(`FROM a\n${text}`)).stages[0]?.instructions ?? [];
  const [onbuild] = parseDockerfile(encode(`FROM a\nONBUILD ${text}`)).stages[0]?.instructions ?? [];
  assert.ok(direct !== undefined && onbuild?.kind === "ONBUILD");
  assert.deepEqual(parseTrigger(onbuild.trigger, RANGE), { ...direct, range: RANGE });
});

Deno.test("parseDockerfile gives back the tree whose formatted text it reads", () => {
  fc.assert(
    fc.property(DOCKERFILE_PARTS, ({ globalArgs, stages }) => {
      const text = formatDockerfile({ directives: { escape: "\\" }, globalArgs, stages, warnings: [] });
      const parsed = parseDockerfile(new TextEncoder().encode(text));
      assert.deepEqual(parsed.globalArgs.map(withoutPlace), globalArgs.map(withoutPlace), text);
      assert.deepEqual(parsed.stages.map(stageWithoutPlace), stages.map(stageWithoutPlace), text);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("formatDockerfile writes what parses to the same tree when it is given a fixture's", () => {
  for (const { name } of Deno.readDirSync(FIXTURES)) {
    if (!canFormat(name)) continue;
    const first = parseDockerfile(Deno.readFileSync(new URL(`${name}/Dockerfile`, FIXTURES)));
    const second = parseDockerfile(new TextEncoder().encode(formatDockerfile(first)));
    assert.deepEqual(second.stages.map(stageWithoutPlace), first.stages.map(stageWithoutPlace), name);
    assert.deepEqual(second.globalArgs.map(withoutPlace), first.globalArgs.map(withoutPlace), name);
  }
});

/**
 * Faulty ones have no tree, and those of the backtick quote by other rules. In copy_heredocs a body belongs to a name with
 * a blank, which a list of paths splits: it is read and not kept.
 */
function canFormat(name: string): boolean {
  if (name === "copy_heredocs") return false;
  const files = [...Deno.readDirSync(new URL(`${name}/`, FIXTURES))].map((entry) => entry.name);
  return files.includes("expected.json") &&
    parseDockerfile(Deno.readFileSync(new URL(`${name}/Dockerfile`, FIXTURES))).directives.escape === "\\";
}

function stageWithoutPlace({ index, from, instructions }: Stage): unknown {
  return { index, from: withoutPlace(from), instructions: instructions.map(withoutPlace) };
}
