import { deepEqual, equal, rejects } from "node:assert/strict";
import { readSecrets, type SecretSource } from "../../../src/build/secrets.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("readSecrets takes files, variables, and what is there of both, and conceals them", async () => {
  await using folder = await makeTempDir();
  await Deno.writeTextFile(`${folder.path}/f`, "of a file\n");
  await Deno.writeTextFile(`${folder.path}/both`, "not this");
  const concealed: string[] = [];
  const services = {
    env: { V: "of a variable", both: "the variable" },
    currentDirectory: folder.path,
    conceal: (secret: string) => void concealed.push(secret),
  };
  const secrets = await readSecrets(
    new Map<string, SecretSource>([
      ["a", { kind: "file", path: `${folder.path}/f` }],
      ["b", { kind: "variable", name: "V" }],
      ["c", { kind: "variable or file", name: "both" }],
      ["d", { kind: "variable or file", name: "f" }],
    ]),
    services,
  );
  const texts = [...secrets].map(([id, value]) => [id, new TextDecoder().decode(value)]);
  deepEqual(texts, [["a", "of a file\n"], ["b", "of a variable"], ["c", "the variable"], ["d", "of a file\n"]]);
  deepEqual(concealed, texts.map(([, text]) => text));
});

Deno.test("readSecrets rejects with the id when a secret is missing or too large", async () => {
  await using folder = await makeTempDir();
  const services = { env: {}, currentDirectory: folder.path, conceal: () => {} };
  const read = (source: SecretSource): Promise<unknown> => readSecrets(new Map([["x", source]]), services);
  const fault = (message: RegExp): object => ({ code: "context", message });
  await rejects(read({ kind: "variable", name: "V" }), fault(/^Cannot read secret "x": the environment variable V/));
  await rejects(read({ kind: "file", path: "none" }), fault(/there is no file "none"/));
  await rejects(
    read({ kind: "variable or file", name: "none" }),
    fault(/variable none is not set, and there is no file/),
  );
  await rejects(read({ kind: "file", path: "." }), fault(/^Cannot read secret "x": /));
  await Deno.writeFile(`${folder.path}/large`, new Uint8Array(500 * 1024 + 1));
  await rejects(read({ kind: "file", path: "large" }), fault(/512001 bytes, and the limit is 512000/));
  await Deno.truncate(`${folder.path}/large`, 500 * 1024);
  equal((await readSecrets(new Map([["x", { kind: "file", path: "large" }]]), services)).size, 1);
});
