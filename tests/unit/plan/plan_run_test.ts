import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { ContainerConfig } from "../../../src/oci/image_config.ts";
import { startScope } from "../../../src/plan/args.ts";
import type { RunStep } from "../../../src/plan/plan.ts";
import { planRun, type RunSurroundings } from "../../../src/plan/plan_run.ts";
import { parseOne } from "../../support/plan_request.ts";

/** A stage without anything, but for what a test says. */
function surroundingsOf(more: Partial<RunSurroundings> = {}): RunSurroundings {
  return {
    scope: startScope([]),
    config: {},
    buildArgs: new Map(),
    expand: { escape: "\\", range: { startLine: 2, endLine: 2 } },
    mountSource: () => ({ kind: "context" }),
    ...more,
  };
}

const COMMANDS: readonly (readonly [line: string, argv: readonly string[], script?: RunStep["script"]])[] = [
  ['RUN echo "$a" \\\n  $b', ["/bin/sh", "-c", 'echo "$a"   $b']],
  ['RUN ["a", "$b"]', ["a", "$b"]],
  ["RUN <<EOF\necho $a\n\nEOF", ["/bin/sh", "-c", "echo $a\n\n"]],
  ["RUN <<-'EOF'\n\t\techo\n\t\tEOF", ["/bin/sh", "-c", "echo\n"]],
  ["RUN <<E\n#!/bin/x\n$a\nE", ["/bin/sh", "-c", "/dev/pipes/E"], { name: "E", content: "#!/bin/x\n$a\n" }],
  ["RUN <<-E\n\t#!/bin/x\nE", ["/bin/sh", "-c", "/dev/pipes/E"], { name: "E", content: "#!/bin/x\n" }],
  ["RUN <<E sh\n#!x\nE", ["/bin/sh", "-c", "<<E sh\n#!x\nE"]],
  ["RUN cat <<A 3<<-B\n1\nA\n\t2\nB", ["/bin/sh", "-c", "cat <<A 3<<-B\n1\nA\n\t2\nB"]],
  ["RUN <<A <<B\n1\nA\n2\nB", ["/bin/sh", "-c", "<<A <<B\n1\nA\n2\nB"]],
];

for (const [line, argv, script] of COMMANDS) {
  Deno.test(`planRun gives ${JSON.stringify(argv)} when told ${JSON.stringify(line)}`, () => {
    const step = plan(line);
    deepStrictEqual(step.argv, argv);
    deepStrictEqual(step.script, script);
    strictEqual(step.history, `RUN ${argv.join(" ")} # buildkit`);
  });
}

Deno.test("planRun freezes environment, user, workdir and shell", () => {
  const step = plan("RUN a", { User: "u:g", WorkingDir: "/w/", Shell: ["/bin/bash", "-c"] });
  deepStrictEqual(step, {
    kind: "run",
    range: { startLine: 2, endLine: 2 },
    title: "RUN a",
    history: "RUN /bin/bash -c a # buildkit",
    argv: ["/bin/bash", "-c", "a"],
    env: ["PATH=/bin"],
    user: "u:g",
    workdir: "/w",
    network: "default",
  });
});

Deno.test("planRun shows ARGs in the history, and names proxies apart", () => {
  const instruction = parseOne("RUN", "RUN a");
  const scope = { env: new Map([["A", "1"]]), args: new Map([["A", "1"], ["B", undefined]]) };
  const step = planRun(instruction, surroundingsOf({ scope, buildArgs: new Map([["http_proxy", "p"]]) }));
  strictEqual(step.history, "RUN |2 A=1 B= /bin/sh -c a # buildkit");
  deepStrictEqual(step.env, ["A=1", "HTTP_PROXY=p", "http_proxy=p"]);
  deepStrictEqual(step.proxyNames, ["HTTP_PROXY", "http_proxy"]);
});

Deno.test("planRun takes the networks that are there", () => {
  strictEqual(plan("RUN --network=default a").network, "default");
  strictEqual(plan("RUN --network=host a").network, "host");
  strictEqual(plan("RUN --network=none a").network, "none");
  strictEqual(plan("RUN --security=sandbox a").network, "default");
});

Deno.test("planRun expands the values of mounts with the variables of the stage", () => {
  const scope = startScope(["T=/t"]);
  const step = planRun(parseOne("RUN", "RUN --mount=type=tmpfs,target=$T/${U:-u} $T"), surroundingsOf({ scope }));
  deepStrictEqual(step.mounts, [{ kind: "tmpfs", target: "/t/u" }]);
  deepStrictEqual(step.argv, ["/bin/sh", "-c", "$T"]);
});

const FAULTS: readonly (readonly [line: string, message: string])[] = [
  ["RUN --mount=type=tmpfs,target=/ a", 'Cannot use --mount=type=tmpfs,target=/: invalid mount target "/"'],
  ["RUN --security=insecure a", "RUN --security=insecure is not supported yet"],
  ["RUN --device=x a", "RUN --device is not supported yet"],
  ["RUN <<a/b\n#!x\na/b", 'Cannot run heredoc "a/b": the name of a script is that of a file'],
];

for (const [line, message] of FAULTS) {
  Deno.test(`planRun throws when told ${JSON.stringify(line)}`, () => {
    throws(() => plan(line), { name: "DockerfileError", message });
  });
}

Deno.test("planRun throws when network or security are unknown", () => {
  const instruction = parseOne("RUN", "RUN a");
  const surroundings = surroundingsOf();
  const { range } = instruction;
  throws(() => planRun({ ...instruction, network: "x" }, surroundings), {
    message: 'Cannot use --network="x": expected default, none or host',
    range,
  });
  throws(() => planRun({ ...instruction, security: "x" }, surroundings), {
    message: 'Cannot use --security="x": expected sandbox or insecure',
    range,
  });
});

function plan(line: string, config: ContainerConfig = {}): RunStep {
  return planRun(parseOne("RUN", line), surroundingsOf({ scope: startScope(["PATH=/bin"]), config }));
}
