/** Checks of single instructions that need the config so far. */
import { deepStrictEqual } from "node:assert/strict";
import { applyInstruction, type ConfigState, scratchState } from "../../../src/plan/config_state.ts";
import { checkWarning, findDoubts, findIgnoredSources } from "../../../src/plan/stage_checks.ts";
import { parseConfigStage, parseOne } from "../../support/plan_request.ts";

/** "Rule:line" of everything in a stage that starts at `start`. */
function find(lines: string, start: ConfigState = scratchState()): readonly string[] {
  let state = start;
  return parseConfigStage(lines).flatMap((instruction) => {
    const found = findDoubts(instruction, state);
    state = applyInstruction(state, instruction).state;
    return found.map(({ rule, range }) => `${rule}:${range?.startLine}`);
  });
}

const CASES: readonly (readonly [lines: string, found: readonly string[]])[] = [
  ["CMD x", ["JSONArgsRecommended:2"]],
  ['CMD ["x"]', []],
  ['SHELL ["s"]\nENTRYPOINT x', []],
  ['ENTRYPOINT x\nSHELL ["s"]', ["JSONArgsRecommended:2"]],
  ["WORKDIR x\nWORKDIR y", ["WorkdirRelativePath:2"]],
  ["WORKDIR /x\nWORKDIR y", []],
  ["EXPOSE 80/TCP 81/tcp 82", ["ExposeProtoCasing:2"]],
  ["EXPOSE 127.0.0.1:80:80 8080:80 90", ["ExposeInvalidFormat:2", "ExposeInvalidFormat:2"]],
  ["EXPOSE 8080:80/UDP", ["ExposeProtoCasing:2", "ExposeInvalidFormat:2"]],
  ["USER x\nVOLUME y", []],
];

for (const [lines, found] of CASES) {
  Deno.test(`findDoubts finds ${JSON.stringify(found)} in ${JSON.stringify(lines)}`, () => {
    deepStrictEqual(find(lines), found);
  });
}

Deno.test("findDoubts takes a shell of the base for chosen, but not its working directory", () => {
  const state: ConfigState = { config: { Shell: ["s"], WorkingDir: "/base" }, hasOwnCommand: false };
  deepStrictEqual(find("CMD x\nWORKDIR y", state), ["WorkdirRelativePath:3"]);
});

Deno.test("findIgnoredSources names the sources of the context that are ignored", () => {
  const isIgnored = (path: string): boolean => path !== "ok";
  const sources = ["ok", "no", "https://h/x", ".", "./", "/", "git@h:x.git"];
  const found = findIgnoredSources(parseOne("ADD", "ADD a b"), sources, isIgnored);
  deepStrictEqual(found, [checkWarning("CopyIgnoredFile", { startLine: 2, endLine: 2 }, "Add", "no")]);
  deepStrictEqual(found[0]?.message, 'Attempting to Add file "no" that is excluded by .dockerignore');
});
