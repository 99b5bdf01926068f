/**
 * Whether this machine can run the commands of an image for another platform: by itself, or through an emulator that is
 * registered with the kernel (binfmt_misc). Asked before a build begins, so that none fails halfway for want of one.
 */
import { UnsupportedError } from "../errors.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { tinyProgram } from "./_tiny_program.ts";

/** What asks the machine; tests answer otherwise. */
export interface MachineProbe {
  /** Starts a program of these bytes: "runs", "refused" where the kernel does not know such programs, else "unknown". */
  readonly start: (program: Uint8Array) => Promise<"runs" | "refused" | "unknown">;
  /** The texts of the kernel's registrations, by name; none where they cannot be seen. */
  readonly registrations: () => Promise<ReadonlyMap<string, string>>;
}

/** QEMU's names of architectures, by those of images. */
const QEMU_NAMES: Readonly<Record<string, string>> = {
  amd64: "x86_64",
  "386": "i386",
  arm64: "aarch64",
  loong64: "loongarch64",
  mips64le: "mips64el",
};
const REGISTRATIONS = "/proc/sys/fs/binfmt_misc";
const HINT = "Register one with the kernel, such as by: docker run --privileged tonistiigi/binfmt --install all";

/**
 * Gives the error that keeps commands of an image for `wanted` from running on `own`; undefined when they will run.
 * @example
 * ```ts
 * import { whyNotRunnable } from "./emulation.ts";
 * import { equal } from "node:assert/strict";
 * const linux = { os: "linux", architecture: "amd64" };
 * const probe = { start: () => Promise.resolve("refused" as const), registrations: () => Promise.resolve(new Map()) };
 * equal(await whyNotRunnable(linux, linux, probe), undefined);
 * ```
 */
export async function whyNotRunnable(
  wanted: Platform,
  own: Platform,
  probe: MachineProbe,
): Promise<UnsupportedError | undefined> {
  const foreign = `Cannot run commands for platform ${formatPlatform(wanted)} on ${formatPlatform(own)}`;
  if (wanted.os !== own.os) return new UnsupportedError(`${foreign}: it is another operating system`);
  if (wanted.architecture === own.architecture) return undefined;
  const name = QEMU_NAMES[wanted.architecture] ?? wanted.architecture;
  const registration = findRegistration(await probe.registrations(), name);
  const program = tinyProgram(wanted.architecture);
  const answer = program === undefined ? "unknown" : await probe.start(program);
  if (registration !== undefined && answer !== "refused") return checkRegistration(registration, foreign);
  if (answer === "runs") return undefined;
  return new UnsupportedError(`${foreign}: no emulator is registered for it`, { hint: HINT });
}

/** Asks the kernel we run on. */
export function systemProbe(): MachineProbe {
  return { start: startProgram, registrations: readRegistrations };
}

function findRegistration(registrations: ReadonlyMap<string, string>, name: string): string | undefined {
  const found = [...registrations].find(([entry, text]) =>
    text.startsWith("enabled") && (entry === `qemu-${name}` || interpreterOf(text).includes(`qemu-${name}`))
  );
  return found?.[1];
}

/** Without flag F the kernel looks for the emulator in the image, where it hardly ever is. */
function checkRegistration(registration: string, foreign: string): UnsupportedError | undefined {
  if (/^flags: .*F/m.test(registration)) return undefined;
  const emulator = interpreterOf(registration);
  return new UnsupportedError(`${foreign}: the emulator ${emulator} is registered without the flag F`, {
    hint: "Only with that flag the kernel finds it from inside an image",
  });
}

function interpreterOf(registration: string): string {
  return /^interpreter (.*)$/m.exec(registration)?.[1] ?? "";
}

async function readRegistrations(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  try {
    for await (const { name } of Deno.readDir(REGISTRATIONS)) {
      if (name === "register" || name === "status") continue;
      found.set(name, await Deno.readTextFile(`${REGISTRATIONS}/${name}`));
    }
  } catch (error: unknown) {
    // In a container they are mostly not to be seen, though they are in force there.
    if (!(error instanceof Error)) throw error;
  }
  return found;
}

async function startProgram(program: Uint8Array): Promise<"runs" | "refused" | "unknown"> {
  const folder = await Deno.makeTempDir({ prefix: "kiln-probe-" });
  try {
    const path = `${folder}/program`;
    await Deno.writeFile(path, program, { mode: 0o700 });
    const { success } = await new Deno.Command(path, { stdin: "null", stdout: "null", stderr: "null", clearEnv: true })
      .output();
    // What the kernel refuses may be tried by a shell, which fails on it.
    return success ? "runs" : "refused";
  } catch (error: unknown) {
    return error instanceof Error && /os error 8\b/.test(error.message) ? "refused" : "unknown";
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
