/** `copy`: an image or an index between registries, OCI layouts and docker-archives. */
import { formatReference } from "../oci/reference.ts";
import type { Command, CommandCall } from "./command.ts";
import { imageWord, platformFlag } from "./image_words.ts";
import { UsageError } from "./flag.ts";
import { LOG_FLAGS } from "./log_flags.ts";
import { openRegistry } from "./registry_session.ts";
import { PUSH_FLAGS, REGISTRY_FLAGS } from "./registry_flag_table.ts";

/** Copies; the digest at the destination goes to stdout. */
export const COPY_COMMAND: Command = {
  name: "copy",
  summary: "Copies an image between registries (HOST/NAME:TAG), oci-layout://PATH:TAG and docker-archive://PATH:NAME.",
  flags: [
    {
      name: "platform",
      kind: "text",
      value: "OS/ARCH",
      summary: "Copy the image for this platform instead of the whole index",
    },
    ...PUSH_FLAGS,
    ...REGISTRY_FLAGS,
    ...LOG_FLAGS,
  ],
  positionals: ["<from>", "<to>"],
  run: runCopy,
};

async function runCopy(call: CommandCall): Promise<number> {
  const { values, positionals, process, log } = call;
  const [from, to] = [imageWord(positionals[0] ?? ""), imageWord(positionals[1] ?? "")];
  if (to.digest !== undefined || to.local?.target?.startsWith("sha256:")) {
    throw new UsageError(`Cannot copy to "${positionals[1]}": a destination has a tag, its digest is what it holds`);
  }
  using registry = openRegistry(call);
  const found = await registry.find(from, platformFlag(values));
  log.info(`Copying ${formatReference(from)} to ${formatReference(to)}`);
  process.writeOut(`${(await registry.transfer(found, to)).digest}\n`);
  return 0;
}
