import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  chooseIsolation,
  containerMarkers,
  type Isolation,
  type IsolationChoice,
  type MachineTraits,
  readMachineTraits,
} from "../../../src/runner/choose_isolation.ts";

const NOTHING: MachineTraits = {
  files: [],
  environment: {},
  cgroups: "0::/init.scope\n",
  mountInfo: mountInfoOf("ext4"),
};

function mountInfoOf(type: string): Uint8Array {
  return new TextEncoder().encode(
    `1 0 0:1 / / rw - rootfs none rw\n2 1 0:2 / / rw - ${type} x rw\n3 2 0:3 / /a rw - overlay x rw\n`,
  );
}

Deno.test("chooseIsolation goes by the choice, the container and the force", () => {
  const cases: [IsolationChoice, facts: string, Isolation | undefined][] = [
    ["auto", "container executor", "inplace"],
    ["auto", "container", "chroot"],
    ["auto", "executor", "chroot"],
    ["auto", "forced", "chroot"],
    ["chroot", "container executor", "chroot"],
    ["chroot", "", "chroot"],
    ["inplace", "container", "inplace"],
    ["inplace", "forced", "inplace"],
    ["inplace", "executor", undefined],
  ];
  for (const [choice, facts, expected] of cases) {
    const choose = (): Isolation =>
      chooseIsolation(choice, {
        containerMarkers: facts.includes("container") ? ["x"] : [],
        isExecutorImage: facts.includes("executor"),
        isForced: facts.includes("forced"),
      });
    const name = `${choice} ${facts}`;
    if (expected === undefined) throws(choose, { code: "unsupported", hint: /--isolation=chroot/ }, name);
    else equal(choose(), expected, name);
  }
});

Deno.test("containerMarkers finds each sign of a container", () => {
  const cases: [Partial<MachineTraits>, readonly string[]][] = [
    [{}, []],
    [{ files: ["/.dockerenv"] }, ["file /.dockerenv"]],
    [{ environment: { KUBERNETES_SERVICE_HOST: "10.0.0.1" } }, ["variable KUBERNETES_SERVICE_HOST"]],
    [{ environment: { container: "podman", KUBERNETES_SERVICE_HOST: "" } }, ["variable container"]],
    [{ cgroups: "1:name=systemd:/kubepods/burstable/x\n" }, ['control group with "kubepods"']],
    [{ mountInfo: mountInfoOf("overlay") }, ["root on overlay"]],
    [{ mountInfo: new Uint8Array(), cgroups: "" }, []],
  ];
  for (const [change, expected] of cases) deepEqual(containerMarkers({ ...NOTHING, ...change }), expected);
});

Deno.test("readMachineTraits reads this machine", () => {
  const traits = readMachineTraits({ container: "x" });
  equal(traits.environment["container"], "x");
  ok(traits.mountInfo.length > 0);
  for (const file of traits.files) ok(Deno.lstatSync(file));
});
