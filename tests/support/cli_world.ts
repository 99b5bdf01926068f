/** A process for tests of commands: what is printed is kept, and a registry in memory listens on a loopback port. */
import type { CliProcess } from "../../src/cli/cli_process.ts";
import { run } from "../../src/cli/cli.ts";
import { type FakeRegistry, fakeRegistry, type FakeRegistryKnobs } from "./fake_registry.ts";

/** How a command ended. */
export interface CliEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process. */
export async function runCli(
  args: readonly string[],
  given: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string } = {},
): Promise<CliEnd> {
  let out = "";
  let err = "";
  const process: CliProcess = {
    args,
    env: given.env ?? {},
    version: "0.0.1",
    writeOut: (text) => void (out += text),
    writeErr: (bytes) => void (err += new TextDecoder().decode(bytes)),
    readIn: () => Promise.resolve(given.stdin ?? ""),
    signal: new AbortController().signal,
    selfCommand: [],
    currentDirectory: "/",
  };
  const code = await run(process);
  return { code, out, err };
}

/** A fake registry that listens; `host` is as it stands in references. */
export interface ServedRegistry extends AsyncDisposable {
  readonly host: string;
  readonly registry: FakeRegistry;
}

export function serveRegistry(knobs: FakeRegistryKnobs = {}): ServedRegistry {
  const registry = fakeRegistry(knobs);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, registry.handle);
  return {
    host: `127.0.0.1:${server.addr.port}`,
    registry,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
