/** The process: argv, environment, streams and signals in, exit status out. The only Deno.args, Deno.env and Deno.exit. */
import { launch } from "./src/runner/launch.ts";
import { CancelledError } from "./src/errors.ts";

const VERSION = "0.1.0";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

if (Deno.args[0] === "__launch") launch();
else Deno.exit(await main());

async function main(): Promise<number> {
  const { run } = await import("./src/cli/cli.ts");
  const stop = new AbortController();
  for (const name of SIGNALS) Deno.addSignalListener(name, () => stop.abort(new CancelledError(name)));
  return await run({
    args: Deno.args,
    env: Deno.env.toObject(),
    version: VERSION,
    writeOut: (text) => writeAll(Deno.stdout, new TextEncoder().encode(text)),
    writeErr: (bytes) => writeAll(Deno.stderr, bytes),
    isErrTerminal: Deno.stderr.isTerminal(),
    readIn: () => new Response(Deno.stdin.readable).text(),
    signal: stop.signal,
    currentDirectory: Deno.cwd(),
    selfCommand: Deno.build.standalone ? [Deno.execPath()] : [Deno.execPath(), "run", "-A", Deno.mainModule],
  });
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(stream.writeSync(rest));
}
