/** `push`: an image that was built before, from a docker-archive or an OCI layout, into registries. */
import type { LocalImage } from "../oci/local_image.ts";
import { formatLocalImage } from "../oci/local_image.ts";
import { formatReference, parseImageName, type Reference } from "../oci/reference.ts";
import type { Command, CommandCall } from "./command.ts";
import { destinations, imageWord } from "./image_words.ts";
import { LOG_FLAGS } from "./log_flags.ts";
import { openRegistry } from "./registry_session.ts";
import { PUSH_FLAGS, REGISTRY_FLAGS } from "./registry_flag_table.ts";

/** Pushes the image; its digest goes to stdout. */
export const PUSH_COMMAND: Command = {
  name: "push",
  summary: "Pushes an image from a docker-archive (a file) or an OCI image layout (a folder).",
  flags: [
    { name: "destination", short: "d", kind: "list", value: "IMAGE", summary: "Reference to push to" },
    ...PUSH_FLAGS,
    ...REGISTRY_FLAGS,
    ...LOG_FLAGS,
  ],
  positionals: ["<path>"],
  run: runPush,
};

async function runPush(call: CommandCall): Promise<number> {
  const { values, positionals, process, log } = call;
  const to = destinations(values);
  const from = await pathWord(positionals[0] ?? "");
  using registry = openRegistry(call);
  const found = await registry.find(from);
  if (!values.isSet("skip-push-permission-check")) await registry.checkPush(to);
  let digest = "";
  for (const reference of to) {
    log.info(`Pushing ${formatReference(reference)}`);
    digest = (await registry.transfer(found, reference)).digest;
  }
  process.writeOut(`${digest}\n`);
  return 0;
}

/** A path alone says by what is there which kind it is; `oci-layout://` and `docker-archive://` say it themselves. */
async function pathWord(word: string): Promise<Reference> {
  if (/^(?:oci-layout|docker-archive):\/\//.test(word)) return imageWord(word);
  const entry = await Deno.stat(word).catch(() => undefined); // the reader of the file says what is wrong with it
  const kind: LocalImage["kind"] = entry?.isDirectory === true ? "oci-layout" : "docker-archive";
  return parseImageName(formatLocalImage({ kind, path: word }));
}
