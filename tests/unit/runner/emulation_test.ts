/** Which platforms' commands run here, and the programs that ask the kernel. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { type MachineProbe, systemProbe, whyNotRunnable } from "../../../src/runner/emulation.ts";
import { tinyProgram } from "../../../src/runner/_tiny_program.ts";

const OWN = parsePlatform("linux/amd64");
const WITH_FLAG = "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: POCF\noffset 0\nmagic 7f\n";
const WITHOUT_FLAG = "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: \noffset 0\nmagic 7f\n";
const NONE = "no emulator is registered for it";
const NO_FLAG = "the emulator /usr/bin/qemu-aarch64-static is registered without the flag F";

type Answer = "runs" | "refused" | "unknown";

function probe(answer: Answer, registrations: Readonly<Record<string, string>> = {}): MachineProbe {
  return {
    start: () => Promise.resolve(answer),
    registrations: () => Promise.resolve(new Map(Object.entries(registrations))),
  };
}

const CASES: readonly (readonly [
  name: string,
  platform: string,
  probe: MachineProbe,
  reason: string | undefined,
])[] = [
  ["it is our own", "linux/amd64", probe("refused"), undefined],
  ["it is a variant of our own", "linux/amd64/v3", probe("refused"), undefined],
  ["it is another operating system", "windows/amd64", probe("runs"), "it is another operating system"],
  ["its programs run", "linux/arm64", probe("runs"), undefined],
  ["its programs are refused", "linux/arm64", probe("refused"), NONE],
  ["nothing is known", "linux/arm64", probe("unknown"), NONE],
  ["nobody has a program for it", "linux/sparc64", probe("runs"), NONE],
  ["it is registered", "linux/arm64", probe("unknown", { "qemu-aarch64": WITH_FLAG }), undefined],
  ["it is registered by another name", "linux/arm64", probe("unknown", { arm: WITH_FLAG }), undefined],
  ["another is registered", "linux/arm/v7", probe("unknown", { "qemu-aarch64": WITH_FLAG }), NONE],
  ["it is registered, but not to be used in images", "linux/arm64", probe("runs", { a: WITHOUT_FLAG }), NO_FLAG],
  ["it is turned off", "linux/arm64", probe("refused", { a: WITH_FLAG.replace("enabled", "disabled") }), NONE],
];

for (const [name, platform, machine, reason] of CASES) {
  Deno.test(`whyNotRunnable answers for ${platform} when ${name}`, async () => {
    const error = await whyNotRunnable(parsePlatform(platform), OWN, machine);
    const expected = reason && `Cannot run commands for platform ${platform} on linux/amd64: ${reason}`;
    equal(error?.message, expected);
    if (reason === NONE) match(error?.hint ?? "", /tonistiigi\/binfmt/);
  });
}

Deno.test("tinyProgram is an ELF file of the architecture", () => {
  const header = (architecture: string): readonly number[] | undefined => {
    const bytes = tinyProgram(architecture);
    return bytes && [...bytes.slice(0, 7), ...bytes.slice(18, 20)];
  };
  deepEqual(header("amd64"), [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 62, 0]);
  deepEqual(header("arm"), [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 40, 0]);
  deepEqual(header("s390x"), [0x7f, 0x45, 0x4c, 0x46, 2, 2, 1, 0, 22]);
  equal(header("toString"), undefined);
});

Deno.test("systemProbe starts a program of this machine, and refuses or emulates one of another", async () => {
  const { start, registrations } = systemProbe();
  const own = tinyProgram(Deno.build.arch === "aarch64" ? "arm64" : "amd64");
  const broken = new Uint8Array(own ?? []).fill(0, 4);
  ok(own !== undefined);
  equal(await start(own), "runs");
  equal(await start(broken), "refused");
  for (const [name, text] of await registrations()) ok(name !== "" && text !== "", name);
});
