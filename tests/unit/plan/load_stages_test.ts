import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { globalScope } from "../../../src/plan/args.ts";
import { readOrigins } from "../../../src/plan/from_lines.ts";
import { blameTrigger, type LoadedStages, loadStages } from "../../../src/plan/load_stages.ts";
import { FakeResolver, type KnownImage, parseText, planOptions } from "../../support/plan_request.ts";

interface LoadCase {
  readonly name: string;
  readonly text: string;
  readonly images?: Readonly<Record<string, KnownImage>>;
  /** Of each needed stage: index, number of triggers, kinds of instructions. */
  readonly stages: readonly (readonly [index: number, triggers: number, kinds: string])[];
  readonly asked: readonly string[];
}

const CASES: readonly LoadCase[] = [
  {
    name: "a stage is not needed",
    text: "FROM nowhere AS a\nFROM scratch\nRUN x",
    stages: [[1, 0, "RUN"]],
    asked: [],
  },
  {
    name: "an image brings triggers",
    text: "FROM base\nRUN x",
    images: { base: { config: { OnBuild: ["USER a", "ENV b=c"] } } },
    stages: [[0, 2, "USER ENV RUN"]],
    asked: ["base"],
  },
  {
    name: "a stage brings its own triggers, not those it ran itself",
    text: "FROM base AS a\nONBUILD RUN x\nFROM a AS b\nFROM b",
    images: { base: { config: { OnBuild: ["USER a"] } } },
    stages: [[0, 1, "USER ONBUILD"], [1, 1, "RUN"], [2, 0, ""]],
    asked: ["base"],
  },
  {
    name: "a trigger needs a stage, whose base has triggers that need an image",
    text: "FROM other AS tools\nFROM base",
    images: {
      base: { config: { OnBuild: ["COPY --from=tools / /"] } },
      other: { config: { OnBuild: ["COPY --from=third / /"] } },
      third: { config: { OnBuild: ["never run"] } },
    },
    stages: [[0, 1, "COPY"], [1, 1, "COPY"]],
    asked: ["base", "other", "third"],
  },
];

for (const { name, text, images, stages, asked } of CASES) {
  Deno.test(`loadStages finds ${stages.length} stages when ${name}`, async () => {
    const resolver = new FakeResolver(images);
    const loaded = await load(text, resolver);
    deepStrictEqual(
      loaded.stages.map(({ stage, triggerCount, instructions }) => [
        stage.index,
        triggerCount,
        instructions.map(({ kind }) => kind).join(" "),
      ]),
      stages,
    );
    deepStrictEqual(resolver.asked, asked.map((image) => `index.docker.io/library/${image}:latest linux/amd64`));
    deepStrictEqual([...loaded.images.keys()], resolver.asked);
  });
}

const FAULTS: readonly (readonly [name: string, text: string, trigger: string, message: RegExp, line: number])[] = [
  ["a trigger cannot be parsed", "FROM scratch\nFROM base", "COPY one", /^Cannot run ONBUILD trigger "COPY one"/, 2],
  ["an image cannot be named so", "FROM scratch\nCOPY --from=a:b:c / /", "", /^Cannot read image reference "a:b:c"/, 2],
  ["files are copied from scratch", "FROM base\nCOPY --from=scratch / /", "USER a", /^Cannot copy from "scratch"/, 2],
];

for (const [name, text, trigger, message, line] of FAULTS) {
  Deno.test(`loadStages throws at the line when ${name}`, async () => {
    const resolver = new FakeResolver({ base: { config: { OnBuild: [trigger] } } });
    await rejects(load(text, resolver), { message, range: { startLine: line, endLine: line } });
  });
}

Deno.test("loadStages throws at FROM when a trigger names a later stage", async () => {
  const resolver = new FakeResolver({ base: { config: { OnBuild: ["COPY --from=late / /"] } } });
  await rejects(load("FROM base AS a\nFROM scratch AS late\nFROM a", resolver), {
    message: 'Cannot copy from stage "late": it is defined after stage "a", which needs it',
    range: { startLine: 1, endLine: 1 },
  });
});

Deno.test("loadStages does not read the triggers of a stage that is not needed", async () => {
  const loaded = await load("FROM scratch AS a\nONBUILD COPY one\nFROM a AS b\nFROM scratch", new FakeResolver());
  strictEqual(loaded.stages.length, 1);
});

Deno.test("blameTrigger keeps message and range, and adds the trigger's first line to the hint", () => {
  const range = { startLine: 2, endLine: 2 };
  const bare = blameTrigger(new DockerfileError("Cannot", range), "RUN <<E\nx\nE");
  strictEqual(bare.message, "Cannot");
  deepStrictEqual(bare.range, range);
  strictEqual(bare.hint, "The base of this stage brings it along: ONBUILD RUN <<E");
  const hinted = blameTrigger(new DockerfileError("Cannot", range, { hint: "Try" }), "RUN x");
  strictEqual(hinted.hint, "Try. The base of this stage brings it along: ONBUILD RUN x");
});

function load(text: string, resolver: FakeResolver): Promise<LoadedStages> {
  const dockerfile = parseText(text);
  const options = planOptions();
  const { origins } = readOrigins(dockerfile, globalScope(dockerfile, options), options);
  return loadStages({ dockerfile, origins, targets: [dockerfile.stages.length - 1], options, resolver });
}
