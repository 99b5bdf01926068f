import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { CopyStep } from "../../../src/plan/plan.ts";
import { startScope } from "../../../src/plan/args.ts";
import { planCopy } from "../../../src/plan/plan_copy.ts";
import { parseOne } from "../../support/plan_request.ts";

const STEPS: readonly (readonly [line: string, step: Partial<CopyStep>])[] = [
  ["COPY a b /d/", { patterns: ["a", "b"], destination: "/d/", history: "COPY a b /d/ # buildkit", unpack: false }],
  ['COPY $v/*.c "$v"', { patterns: ["val/*.c"], destination: "/w/val", history: "COPY val/*.c val # buildkit" }],
  ["COPY a $none", { destination: "/w/", history: "COPY a  # buildkit" }],
  ["COPY --chown=$v:g --chmod=6$n a /", {
    chown: "val:g",
    chmod: "640",
    history: "COPY --chown=val:g --chmod=640 a / # buildkit",
  }],
  ["COPY --chmod=$none --chown=$none a /", { history: "COPY a / # buildkit" }],
  ["COPY --exclude=$v --exclude=*.md a /", { exclude: ["$v", "*.md"], history: "COPY a / # buildkit" }],
  ["ADD a.tar /", { instruction: "ADD", unpack: true, history: "ADD a.tar / # buildkit" }],
  ["ADD $url a b", {
    patterns: ["a"],
    remotes: [{ kind: "url", position: 0, url: "https://h/x", unpack: false }],
    history: "ADD https://h/x a b # buildkit",
  }],
  ["ADD a git@h:r.git b", {
    patterns: ["a"],
    remotes: [{ kind: "git", position: 1, reference: { transport: "ssh", remote: "git@h:r.git" } }],
  }],
  ["COPY --link a b", { link: true, parents: false, history: "COPY a b # buildkit" }],
  ["ADD --link a b", { link: true, history: "ADD a b # buildkit" }],
  ["COPY --link --chmod=600 a b", { link: false, chmod: "600" }],
  ["COPY --link --chmod=$none a b", { link: true }],
  ["COPY --parents --chown=1 a/./b c/", { parents: true, history: "COPY --parents --chown=1 a/./b c/ # buildkit" }],
  ["ADD --unpack=true a.tar /", { unpack: true }],
  ["ADD --unpack=false a.tar /", { unpack: false }],
  ["COPY <<A x <<'B' /d/\n$v\nA\n$v\nB", {
    patterns: ["x"],
    inlineFiles: [{ name: "A", content: "val\n" }, { name: "B", content: "$v\n" }],
    history: "COPY x <<A <<B /d/ # buildkit",
    title: "COPY <<A x <<'B' /d/",
    range: { startLine: 2, endLine: 6 },
  }],
  ["COPY <<A <<A /d/\n1\nA\n2\nA", {
    inlineFiles: [{ name: "A", content: "2\n" }],
    history: "COPY <<A <<A /d/ # buildkit",
  }],
  ["COPY <<../etc/x /d/\n1\n../etc/x", { inlineFiles: [{ name: "x", content: "1\n" }] }],
];

for (const [line, step] of STEPS) {
  Deno.test(`planCopy plans ${line.split("\n")[0]}`, () => {
    const planned = plan(line);
    deepStrictEqual({ ...planned, ...step }, planned);
  });
}

Deno.test("planCopy leaves owner and mode out when they are empty", () => {
  const planned = plan("COPY --chmod=$none --chown=$none a /");
  strictEqual("chown" in planned || "chmod" in planned, false);
});

const FAULTS: readonly (readonly [line: string, message: RegExp])[] = [
  ["COPY --chmod=64a a b", /^Cannot use --chmod="64a": expected an octal number between 0 and 07777/],
  ["COPY --chmod=$v a b", /^Cannot use --chmod="val": /],
  ["COPY http://h/f b", /^Cannot copy "http:\/\/h\/f": a source of COPY cannot be a URL$/],
  ["ADD --checksum=$v $url b", /^Cannot use ADD --checksum="val": expected "sha256:" and 64 hex digits$/],
  ["COPY <<.. /d/\n..", /^Cannot make a file of heredoc "..": it names no file$/],
  ["COPY a ${v:0}", /^Cannot expand /],
];

for (const [line, message] of FAULTS) {
  Deno.test(`planCopy throws at the instruction when told ${line.split("\n")[0]}`, () => {
    throws(() => plan(line), { name: "DockerfileError", message });
    throws(() => plan(line), ({ range }: { readonly range: { readonly startLine: number } }) => range.startLine === 2);
  });
}

function plan(line: string): CopyStep {
  const instruction = parseOne<"COPY" | "ADD">(line.startsWith("ADD") ? "ADD" : "COPY", line);
  return planCopy(instruction, {
    scope: startScope(["v=val", "n=40", "url=https://h/x"]),
    workdir: "/w",
    source: { kind: "context" },
    expand: { escape: "\\", range: instruction.range },
  });
}
