/** The registries for a command that is no build: made from the flags that all such commands have. */
import { credentialPaths } from "../registry/credentials.ts";
import { createRegistry, type Registry } from "../registry/registry.ts";
import { systemRegistryServices } from "../registry/registry_services.ts";
import type { CommandCall } from "./command.ts";
import { registryOptions } from "./registry_flags.ts";

/** The registries that `call`'s flags and environment describe. Dispose them at the end. Throws UsageError. */
export function openRegistry({ values, process, log }: CommandCall): Registry {
  const { env, signal } = process;
  const services = systemRegistryServices({ log, env, signal, credentialPaths: credentialPaths(env) });
  return createRegistry(registryOptions(values, env), services);
}
