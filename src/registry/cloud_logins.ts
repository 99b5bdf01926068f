/** The built-in logins of the clouds' own registries: which cloud a host belongs to decides who is asked, once. */
import { errorText } from "../errors.ts";
import type { CloudServices, Expiring } from "./cloud_call.ts";
import type { CloudLogins, FoundCredential } from "./credentials.ts";
import type { CredentialHelper } from "./registry_options.ts";

/** One cloud: the helper's name, and how to get the login for a host that is its. */
interface Cloud {
  readonly helper: CredentialHelper;
  /** The way to log in to `host`, or undefined where it is not this cloud's. */
  readonly loginTo: (host: string) => Promise<Login | undefined>;
}

type Login = () => Promise<Expiring<FoundCredential>>;

/**
 * The logins of Amazon ECR, Google's registries and Azure's, each provider loaded when a host is its own. A login is kept
 * until shortly before its end; a failure is kept too, for as long as a minute.
 */
export function createCloudLogins(services: CloudServices): CloudLogins {
  const clouds = cloudsOf(services);
  const known = new Map<string, Promise<Expiring<FoundCredential | Failure>>>();
  async function current(registry: string, login: Login): Promise<Expiring<FoundCredential | Failure>> {
    const before = known.get(registry);
    const held = before === undefined ? undefined : await before;
    if (held !== undefined && held.expiresAtMs - MARGIN_MS > services.now()) return held;
    // Another search may have asked while this one waited.
    const asked = known.get(registry);
    if (asked !== undefined && asked !== before) return await asked;
    const renewed = attempt(login, services);
    known.set(registry, renewed);
    return await renewed;
  }
  return {
    find: async (registry, helpers, notes) => {
      for (const cloud of clouds) {
        const login = helpers.has(cloud.helper) && MAYBE_CLOUD.test(registry)
          ? await cloud.loginTo(registry)
          : undefined;
        if (login === undefined) continue;
        const held = await current(registry, login);
        if ("credential" in held.value) return held.value;
        notes.push(held.value.failure);
        return undefined;
      }
      return undefined;
    },
  };
}

interface Failure {
  readonly failure: string;
}

async function attempt(
  login: Login,
  services: CloudServices,
): Promise<Expiring<FoundCredential | Failure>> {
  try {
    return await login();
  } catch (error: unknown) {
    services.signal.throwIfAborted();
    services.log.debug(errorText(error));
    return { value: { failure: errorText(error) }, expiresAtMs: services.now() + FAILURE_MS };
  }
}

function cloudsOf(services: CloudServices): readonly Cloud[] {
  return [
    {
      helper: "ecr",
      loginTo: async (host) => {
        const { ecrLogin, ecrRegistry } = await import("./aws_registry.ts");
        const registry = ecrRegistry(host);
        return registry && (() => ecrLogin(registry, services));
      },
    },
    {
      helper: "google",
      loginTo: async (host) => {
        const { googleLogin, isGoogleRegistry } = await import("./google_registry.ts");
        return isGoogleRegistry(host) ? () => googleLogin(services) : undefined;
      },
    },
    {
      helper: "acr",
      loginTo: async (host) => {
        const { azureCloud, azureLogin } = await import("./azure_registry.ts");
        const cloud = azureCloud(host);
        return cloud && (() => azureLogin(host, cloud, services));
      },
    },
  ];
}

/** Hosts for which a provider is loaded at all; the provider then matches the whole host. */
const MAYBE_CLOUD = /(?:\.amazonaws\.com|\.cn|\.aws|\.aws\.com|gcr\.io|\.pkg\.dev|\.azurecr\.[a-z]+)$/;
const MARGIN_MS = 2 * 60 * 1000;
const FAILURE_MS = 3 * 60 * 1000;
