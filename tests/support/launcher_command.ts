/** How tests start the launcher: from source, with the runtime that runs the tests. */
import { fileURLToPath } from "node:url";

/** The words before `__launch`. */
export function launcherCommand(): readonly string[] {
  return [
    Deno.execPath(),
    "run",
    "-A",
    "--no-config",
    "--no-lock",
    fileURLToPath(new URL("launch_entry.ts", import.meta.url)),
  ];
}

/** The environment that Deno needs to find its cache. */
export function launcherEnvironment(): Readonly<Record<string, string>> {
  const names = ["HOME", "DENO_DIR", "PATH"];
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}
