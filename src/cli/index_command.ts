/** `index`: one name for images of several platforms that are pushed already. */
import { formatReference, type Reference } from "../oci/reference.ts";
import { makeIndex } from "../registry/make_index.ts";
import type { Registry } from "../registry/registry.ts";
import type { Command, CommandCall } from "./command.ts";
import { destinations, imageWord } from "./image_words.ts";
import { UsageError } from "./flag.ts";
import { keyValues } from "./key_values.ts";
import { LOG_FLAGS } from "./log_flags.ts";
import { openRegistry } from "./registry_session.ts";
import { PUSH_FLAGS, REGISTRY_FLAGS } from "./registry_flag_table.ts";

/** Makes and pushes the index; its digest goes to stdout. */
export const INDEX_COMMAND: Command = {
  name: "index",
  summary: "Makes an index of images for several platforms and pushes it; the images are copied beside it.",
  flags: [
    { name: "destination", short: "d", kind: "list", value: "IMAGE", summary: "Reference to push the index to" },
    { name: "annotation", kind: "list", value: "NAME=VALUE", summary: "Annotation of the index" },
    ...PUSH_FLAGS,
    ...REGISTRY_FLAGS,
    ...LOG_FLAGS,
  ],
  positionals: ["<image...>"],
  run: runIndex,
};

async function runIndex(call: CommandCall): Promise<number> {
  const { values, positionals, process, log } = call;
  const to = destinations(values);
  const annotations = Object.fromEntries(keyValues("annotation", values.list("annotation")));
  using registry = openRegistry(call);
  const { signal } = process;
  const members = await Promise.all(positionals.map((word) => registry.find(pushedImage(word))));
  const index = await makeIndex(members, { annotations, signal });
  for (const reference of to) {
    for (const member of members) await bringBeside(registry, member, reference);
    log.info(`Pushing ${formatReference(reference)}`);
    const repository = registry.repository(reference, "push");
    await repository.putManifest(reference.tag ?? "latest", index, signal);
  }
  process.writeOut(`${index.digest}\n`);
  return 0;
}

function pushedImage(word: string): Reference {
  const reference = imageWord(word);
  if (reference.local === undefined) return reference;
  throw new UsageError(`Cannot put "${word}" into an index: it is not in a registry`, { hint: "Push it first" });
}

/** Copies a member into the repository of the index by its digest alone; it may be there already. */
async function bringBeside(
  registry: Registry,
  member: Parameters<Registry["transfer"]>[0],
  to: Reference,
): Promise<void> {
  const { registry: host, repository } = to;
  if (member.reference.registry === host && member.reference.repository === repository) return;
  await registry.transfer(member, { registry: host, repository, digest: member.stored.digest });
}
