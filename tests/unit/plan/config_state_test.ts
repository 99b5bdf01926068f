import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { ContainerConfig, ImageConfig } from "../../../src/oci/image_config.ts";
import {
  applyInstruction,
  applyLabels,
  commandArgv,
  type ConfigInstruction,
  type ConfigState,
  DEFAULT_PATH,
  envName,
  imageState,
  inheritedState,
  scratchState,
  workdirOf,
} from "../../../src/plan/config_state.ts";
import { parseConfigStage } from "../../support/plan_request.ts";

interface ChangeCase {
  readonly line: string;
  readonly start?: ContainerConfig;
  readonly config: ContainerConfig;
  readonly history: string | undefined;
}

const CHANGES: readonly ChangeCase[] = [
  {
    line: "ENV b=2 c=3 a=4",
    start: { Env: ["a=1", "b=1"] },
    config: { Env: ["a=4", "b=2", "c=3"] },
    history: "ENV b=2 c=3 a=4",
  },
  { line: "ENV k v  w", config: { Env: ["k=v  w"] }, history: "ENV k=v  w" },
  {
    line: "LABEL a=2 __proto__=x",
    start: { Labels: { a: "1", z: "1" } },
    config: { Labels: { a: "2", z: "1", ["__proto__"]: "x" } },
    history: "LABEL a=2 __proto__=x",
  },
  { line: "WORKDIR b", start: { WorkingDir: "/a" }, config: { WorkingDir: "/a/b" }, history: "WORKDIR /a/b" },
  { line: "WORKDIR b", config: { WorkingDir: "/b" }, history: "WORKDIR /b" },
  { line: "USER u:g", config: { User: "u:g" }, history: "USER u:g" },
  {
    line: "EXPOSE 80 53/udp",
    start: { ExposedPorts: { "80/tcp": {}, "9/tcp": {} } },
    config: { ExposedPorts: { "80/tcp": {}, "9/tcp": {}, "53/udp": {} } },
    history: "EXPOSE [53/udp 80/tcp]",
  },
  {
    line: "VOLUME /a /b",
    start: { Volumes: { "/b": {} } },
    config: { Volumes: { "/b": {}, "/a": {} } },
    history: "VOLUME [/a /b]",
  },
  { line: "STOPSIGNAL 9", config: { StopSignal: "9" }, history: "STOPSIGNAL 9" },
  {
    line: "CMD echo hi",
    config: { Cmd: ["/bin/sh", "-c", "echo hi"], ArgsEscaped: true },
    history: 'CMD ["/bin/sh" "-c" "echo hi"]',
  },
  {
    line: "CMD echo hi",
    start: { Shell: ["/bin/zsh", "-c"] },
    config: { Shell: ["/bin/zsh", "-c"], Cmd: ["/bin/zsh", "-c", "echo hi"], ArgsEscaped: true },
    history: 'CMD ["/bin/zsh" "-c" "echo hi"]',
  },
  { line: "CMD []", config: { Cmd: [], ArgsEscaped: true }, history: "CMD []" },
  {
    line: 'ENTRYPOINT ["a", "b c"]',
    start: { Cmd: ["inherited"] },
    config: { Entrypoint: ["a", "b c"] },
    history: 'ENTRYPOINT ["a" "b c"]',
  },
  { line: "ENTRYPOINT []", start: { Entrypoint: ["x"], Cmd: ["y"] }, config: {}, history: "ENTRYPOINT []" },
  { line: 'SHELL ["/bin/bash", "-c"]', config: { Shell: ["/bin/bash", "-c"] }, history: "SHELL [/bin/bash -c]" },
  {
    line: "HEALTHCHECK --interval=90s --retries=3 CMD curl x",
    start: { Healthcheck: { Test: ["NONE"], Timeout: 5 } },
    config: { Healthcheck: { Test: ["CMD-SHELL", "curl x"], Interval: 90e9, Retries: 3 } },
    history: `HEALTHCHECK &{["CMD-SHELL" "curl x"] "1m30s" "0s" "0s" "0s" '\\x03'}`,
  },
  {
    line: "HEALTHCHECK NONE",
    config: { Healthcheck: { Test: ["NONE"] } },
    history: `HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" '\\x00'}`,
  },
  {
    line: "ONBUILD RUN a",
    start: { OnBuild: ["USER u"] },
    config: { OnBuild: ["USER u", "RUN a"] },
    history: undefined,
  },
  { line: "MAINTAINER Ann", config: {}, history: "MAINTAINER Ann" },
];

for (const { line, start = {}, config, history } of CHANGES) {
  Deno.test(`applyInstruction changes the config when told ${line} after ${JSON.stringify(start)}`, () => {
    const change = applyLines({ config: start, hasOwnCommand: false }, line);
    deepStrictEqual(change.state.config, config);
    strictEqual(change.history, history);
  });
}

Deno.test("applyInstruction removes the user when it is empty", () => {
  const range = { startLine: 1, endLine: 1 };
  const change = applyInstruction({ config: { User: "u" }, hasOwnCommand: false }, {
    kind: "USER",
    range,
    raw: "",
    user: "",
  });
  deepStrictEqual(change.state.config, {});
});

Deno.test("applyInstruction keeps a CMD of the same stage when ENTRYPOINT follows", () => {
  const { state } = applyLines({ config: { Cmd: ["old"] }, hasOwnCommand: false }, 'CMD ["mine"]\nENTRYPOINT ["a"]');
  deepStrictEqual(state.config, { Cmd: ["mine"], ArgsEscaped: true, Entrypoint: ["a"] });
});

Deno.test("applyInstruction sets the author when told MAINTAINER", () => {
  strictEqual(applyLines(scratchState(), "MAINTAINER Ann <a@b>").state.author, "Ann <a@b>");
});

const FAULTS: readonly (readonly [instruction: ConfigInstruction, message: RegExp])[] = [
  [{ ...place("STOPSIGNAL"), signal: "FOO" }, /^Cannot set stop signal "FOO": there is no such signal$/],
  [{ ...place("VOLUME"), paths: ["/a", ""] }, /^Cannot declare volume: the path is empty$/],
  [{ ...place("ENV"), pairs: [{ key: "", value: "x" }], isLegacy: false }, /^Cannot set environment variable: /],
  [{ ...place("EXPOSE"), ports: ["x"] }, /^Cannot expose port "x": /],
];

for (const [instruction, message] of FAULTS) {
  Deno.test(`applyInstruction throws when ${instruction.kind} means nothing`, () => {
    throws(() => applyInstruction(scratchState(), instruction), { message, range: { startLine: 7, endLine: 8 } });
  });
}

Deno.test("scratchState has a PATH and the root as working directory", () => {
  deepStrictEqual(scratchState(), { config: { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: "/" }, hasOwnCommand: false });
});

Deno.test("imageState keeps config and author, spends ONBUILD and adds PATH only when it is missing", () => {
  const image: ImageConfig = {
    architecture: "amd64",
    os: "linux",
    author: "Ann",
    config: { Env: ["PATHS=x"], OnBuild: ["RUN a"], Cmd: ["sh"], Entrypoint: null },
    rootfs: { type: "layers", diff_ids: [] },
    history: [],
  };
  deepStrictEqual(imageState(image), {
    config: { Cmd: ["sh"], Entrypoint: null, Env: ["PATHS=x", `PATH=${DEFAULT_PATH}`] },
    author: "Ann",
    hasOwnCommand: false,
  });
  deepStrictEqual(imageState({ ...image, config: { Env: ["PATH="] } }).config, { Env: ["PATH="] });
});

Deno.test("inheritedState spends ONBUILD and forgets that the CMD was the stage's own", () => {
  deepStrictEqual(inheritedState({ config: { Cmd: ["a"], OnBuild: ["RUN a"] }, author: "Ann", hasOwnCommand: true }), {
    config: { Cmd: ["a"] },
    author: "Ann",
    hasOwnCommand: false,
  });
});

Deno.test("applyLabels sets labels over those that are there", () => {
  const state: ConfigState = { config: { Labels: { a: "1", b: "1" } }, hasOwnCommand: false };
  deepStrictEqual(applyLabels(state, new Map([["b", "2"], ["c", "3"]])).config.Labels, { a: "1", b: "2", c: "3" });
  strictEqual(applyLabels(state, new Map()), state);
});

Deno.test("commandArgv leaves the exec form alone and takes the default shell for an empty one", () => {
  deepStrictEqual(commandArgv({ Shell: ["x"] }, { kind: "exec", argv: ["a"] }), ["a"]);
  deepStrictEqual(commandArgv({ Shell: [] }, { kind: "shell", text: "a" }), ["/bin/sh", "-c", "a"]);
});

Deno.test("workdirOf is absolute and clean whatever the config holds", () => {
  deepStrictEqual([{}, { WorkingDir: "" }, { WorkingDir: "a/../b/" }].map(workdirOf), ["/", "/", "/b"]);
});

Deno.test("envName ends at the first =", () => {
  deepStrictEqual(["a=b=c", "a", "=x"].map(envName), ["a", "a", ""]);
});

function place<Kind extends ConfigInstruction["kind"]>(
  kind: Kind,
): {
  readonly kind: Kind;
  readonly raw: string;
  readonly range: { readonly startLine: number; readonly endLine: number };
} {
  return { kind, raw: kind, range: { startLine: 7, endLine: 8 } };
}

function applyLines(start: ConfigState, lines: string): ReturnType<typeof applyInstruction> {
  let change: ReturnType<typeof applyInstruction> = { state: start };
  for (const instruction of parseConfigStage(lines)) change = applyInstruction(change.state, instruction);
  return change;
}
