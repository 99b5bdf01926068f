/** `inspect`: what an image is, from a registry or from files, without downloading its layers. */
import { isIndex } from "../oci/manifest.ts";
import { formatReference } from "../oci/reference.ts";
import { readConfig, readManifest } from "../registry/resolve_image.ts";
import type { Command, CommandCall } from "./command.ts";
import { formatImage, type InspectedImage } from "./format_image.ts";
import { imageWord, platformFlag } from "./image_words.ts";
import { LOG_FLAGS } from "./log_flags.ts";
import { openRegistry } from "./registry_session.ts";
import { REGISTRY_FLAGS } from "./registry_flag_table.ts";

/** Prints the image as text, as JSON, or its manifest as stored. */
export const INSPECT_COMMAND: Command = {
  name: "inspect",
  summary: "Shows an image in a registry, an OCI layout or a docker-archive: manifest, config and layers with sizes.",
  flags: [
    {
      name: "platform",
      kind: "text",
      value: "OS/ARCH",
      summary: "Show the image for this platform instead of the index",
    },
    { name: "format", kind: "text", initial: "text", choices: ["text", "json", "raw"], summary: "How to print it" },
    ...REGISTRY_FLAGS,
    ...LOG_FLAGS,
  ],
  positionals: ["<image>"],
  run: runInspect,
};

async function runInspect(call: CommandCall): Promise<number> {
  const { values, positionals, process } = call;
  const reference = imageWord(positionals[0] ?? "");
  using registry = openRegistry(call);
  const { stored, source } = await registry.find(reference, platformFlag(values));
  if (values.text("format") === "raw") {
    process.writeOut(new TextDecoder().decode(stored.bytes));
    return 0;
  }
  const name = formatReference(reference);
  const operation = `inspect ${name}`;
  const manifest = readManifest(stored, operation);
  const { digest, bytes } = stored;
  const plain: InspectedImage = { name, digest, mediaType: manifest.mediaType, size: bytes.length, manifest };
  const image = isIndex(manifest)
    ? plain
    : { ...plain, config: (await readConfig(source, manifest, operation, process.signal)).config };
  process.writeOut(values.text("format") === "json" ? `${JSON.stringify(image, undefined, 2)}\n` : formatImage(image));
  return 0;
}
