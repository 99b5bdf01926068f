import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  checkCycles,
  copyOrigin,
  findBaseStage,
  findTarget,
  type GraphStage,
  reachableStages,
  stageNames,
} from "../../../src/plan/stage_graph.ts";
import { parseOne, parseText } from "../../support/plan_request.ts";

const STAGES = parseText("FROM a AS one\nFROM b AS Two\nFROM c AS one\nFROM d").stages;

const TARGETS: readonly (readonly [target: string | undefined, index: number])[] = [
  [undefined, 3],
  ["two", 1],
  ["TWO", 1],
  ["one", 2],
  ["0", 0],
  ["3", 3],
];

for (const [target, index] of TARGETS) {
  Deno.test(`findTarget gives stage ${index} when told ${target}`, () =>
    strictEqual(findTarget(STAGES, target), index));
}

Deno.test("findTarget throws with a suggestion when there is no such stage", () => {
  throws(() => findTarget(STAGES, "twoo"), {
    message: 'Cannot build target "twoo": there is no such stage',
    code: "usage",
    hint: 'Did you mean "two"?',
  });
  for (const target of ["4", "-1", ""]) throws(() => findTarget(STAGES, target), /Cannot build target/);
});

Deno.test("findBaseStage takes the latest earlier stage of exactly that name", () => {
  strictEqual(findBaseStage(STAGES, "one", 3), 2);
  strictEqual(findBaseStage(STAGES, "one", 2), 0);
  strictEqual(findBaseStage(STAGES, "one", 0), undefined);
  strictEqual(findBaseStage(STAGES, "Two", 3), undefined);
});

const ORIGINS: readonly (readonly [flag: string, current: number, origin: unknown])[] = [
  ["", 1, { kind: "context" }],
  ["--from=ONE", 3, { kind: "stage", stageIndex: 2 }],
  ["--from=one", 1, { kind: "stage", stageIndex: 0 }],
  ["--from=two", 0, { kind: "stage", stageIndex: 1 }],
  ["--from=0", 3, { kind: "stage", stageIndex: 0 }],
  ["--from=Busybox", 3, { kind: "image", name: "Busybox" }],
];

for (const [flag, current, origin] of ORIGINS) {
  Deno.test(`copyOrigin gives ${JSON.stringify(origin)} when stage ${current} says COPY ${flag}`, () => {
    deepStrictEqual(copyOrigin(STAGES, current, parseOne<"COPY" | "ADD">("COPY", `COPY ${flag} a b`)), origin);
  });
}

for (const index of ["4", "-1", "99999999999999999999"]) {
  Deno.test(`copyOrigin throws when there is no stage ${index}`, () => {
    throws(() => copyOrigin(STAGES, 3, parseOne<"COPY" | "ADD">("COPY", `COPY --from=${index} a b`)), {
      message: `Cannot use COPY --from="${index}": there is no stage of that index`,
      range: { startLine: 2, endLine: 2 },
    });
  });
}

const GRAPHS: readonly (readonly [name: string, text: string, target: number, reachable: readonly number[]])[] = [
  ["nothing is needed", "FROM x AS a\nFROM y", 1, [1]],
  ["FROM and COPY need stages", "FROM x AS a\nFROM y AS b\nFROM z AS c\nFROM c\nCOPY --from=a / /", 3, [0, 2, 3]],
  ["needs reach far", "FROM x AS a\nFROM a AS b\nFROM z\nCOPY --from=b / /", 2, [0, 1, 2]],
  ["the target is not the last", "FROM x AS a\nFROM a AS b\nFROM b", 1, [0, 1]],
  ["a later reference is not needed", "FROM x AS a\nCOPY --from=b / /\nFROM y AS b", 1, [1]],
];

for (const [name, text, target, reachable] of GRAPHS) {
  Deno.test(`reachableStages gives [${reachable}] when ${name}`, () => {
    deepStrictEqual(reachableStages(graph(text), [target]), reachable);
    checkCycles(graph(text));
  });
}

Deno.test("reachableStages throws at the COPY when it names a later stage", () => {
  throws(() => reachableStages(graph("FROM x\nCOPY a b\nCOPY --from=b / /\nFROM y AS b"), [0]), {
    message: 'Cannot copy from stage "b": it is defined after stage "0", which needs it',
    range: { startLine: 3, endLine: 3 },
  });
});

const CYCLES: readonly (readonly [name: string, text: string, message: string, line: number])[] = [
  ["itself", "FROM x AS a\nCOPY --from=a / /", 'Cannot plan stage "a": it depends on itself', 2],
  [
    "a stage that needs it",
    "FROM x AS a\nCOPY --from=c / /\nFROM a AS b\nFROM b AS c\nFROM x",
    'Cannot plan stage "a": it depends on itself',
    3,
  ],
];

for (const [name, text, message, line] of CYCLES) {
  Deno.test(`checkCycles throws when a stage needs ${name}`, () => {
    throws(() => checkCycles(graph(text)), { message, range: { startLine: line, endLine: line } });
  });
}

Deno.test("stageNames lists the names that stages have", () => {
  deepStrictEqual(stageNames(STAGES), ["one", "two", "one"]);
});

function graph(text: string): readonly GraphStage[] {
  const { stages } = parseText(text);
  return stages.map((stage) => {
    const { instructions } = stage;
    const baseStage = findBaseStage(stages, stage.from.image, stage.index);
    return baseStage === undefined ? { stage, instructions } : { stage, instructions, baseStage };
  });
}
