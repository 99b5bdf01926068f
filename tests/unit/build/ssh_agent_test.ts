import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { checkAgent, forwardAgent } from "../../../src/build/ssh_agent.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { lstat } from "../../../src/sys/stat.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

/** An agent that answers each message with its bytes turned round. */
function startAgent(path: string): AsyncDisposable {
  const listener = Deno.listen({ transport: "unix", path });
  const served = (async () => {
    for await (const connection of listener) {
      const buffer = new Uint8Array(100);
      const count = await connection.read(buffer) ?? 0;
      await connection.write(buffer.subarray(0, count).reverse());
      connection.close();
    }
  })();
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await served;
    },
  };
}

async function ask(path: string, text: string): Promise<string> {
  const short = await Deno.makeTempDir();
  await Deno.symlink(path.slice(0, path.lastIndexOf("/")), `${short}/l`);
  try {
    return await askAt(`${short}/l${path.slice(path.lastIndexOf("/"))}`, text);
  } finally {
    await Deno.remove(short, { recursive: true });
  }
}

async function askAt(path: string, text: string): Promise<string> {
  using connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode(text));
  const buffer = new Uint8Array(100);
  const count = await connection.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, count));
}

Deno.test("forwardAgent passes several connections on, and ends with its socket", async () => {
  await using folder = await makeTempDir();
  await using _agent = startAgent(`${folder.path}/agent`);
  const deep = `${folder.path}/${"a-long-name-".repeat(12)}`;
  await Deno.mkdir(deep);
  const place = rawPath(`${deep}/place`);
  {
    await using _forwarded = forwardAgent(`${folder.path}/agent`, place, { mode: 0o620, uid: 7, gid: 8 });
    const node = lstat(place);
    deepEqual([node?.type, node?.mode, node?.uid, node?.gid], ["socket", 0o620, 7, 8]);
    deepEqual(await Promise.all([ask(place, "abc"), ask(place, "xy")]), ["cba", "yx"]);
  }
  equal(lstat(place), undefined);
});

Deno.test("forwardAgent hangs up when the agent is gone, and open connections end with it", async () => {
  await using folder = await makeTempDir();
  const place = rawPath(`${folder.path}/place`);
  const access = { mode: 0o600, uid: 0, gid: 0 };
  {
    await using _forwarded = forwardAgent(`${folder.path}/none`, place, access);
    equal(await ask(place, "abc").catch(() => "hung up"), "hung up");
  }
  await rejects(ask(place, "abc"), Deno.errors.NotFound);
});

Deno.test("checkAgent refuses what is no socket", async () => {
  await using folder = await makeTempDir();
  await Deno.writeTextFile(`${folder.path}/id_ed25519`, "key");
  throws(() => checkAgent("default", `${folder.path}/none`), { code: "context", message: /there is no socket/ });
  throws(() => checkAgent("k", `${folder.path}/id_ed25519`), {
    message: /^Cannot use ssh agent "k": .* is a file, not an agent's socket$/,
    hint: /ssh-add/,
  });
});
