import { deepEqual, equal, match } from "node:assert/strict";
import { CAPABILITY, hasCapability, readCapabilities, writeCapabilities } from "../../../src/sys/capabilities.ts";

Deno.test("readCapabilities tells what /proc tells", () => {
  const status = Deno.readTextFileSync("/proc/thread-self/status");
  const field = (name: string): bigint => BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, "m").exec(status)?.[1]}`);
  deepEqual(readCapabilities(), {
    effective: field("CapEff"),
    permitted: field("CapPrm"),
    inheritable: field("CapInh"),
  });
});

Deno.test("writeCapabilities changes the effective set of this thread", () => {
  const before = readCapabilities();
  try {
    writeCapabilities({ ...before, effective: before.effective & ~(1n << BigInt(CAPABILITY.DAC_OVERRIDE)) });
    deepEqual([hasCapability(CAPABILITY.DAC_OVERRIDE), hasCapability(CAPABILITY.SETUID)], [false, true]);
  } finally {
    writeCapabilities(before);
  }
  equal(hasCapability(CAPABILITY.DAC_OVERRIDE), true);
});

Deno.test("limitCapabilities leaves a process, and what it executes as root, only what is allowed", async () => {
  const module = new URL("../../../src/sys/", import.meta.url).href;
  const program = `
    import { limitCapabilities } from "${module}capabilities.ts";
    import { execute } from "${module}execute.ts";
    limitCapabilities(0xa1n);
    execute("/bin/grep", ["grep", "Cap", "/proc/self/status"], []);`;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "-"],
    stdin: "piped",
    stdout: "piped",
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { stdout } = await child.output();
  const text = new TextDecoder().decode(stdout);
  for (const set of ["CapPrm", "CapEff", "CapBnd"]) match(text, new RegExp(`^${set}:\\s*00000000000000a1$`, "m"));
  for (const set of ["CapInh", "CapAmb"]) match(text, new RegExp(`^${set}:\\s*0000000000000000$`, "m"));
});
