/** The ssh agent of the caller, answered for at another socket: a RUN's user may talk to it whoever owns the real one. */
import { ContextError } from "../context/context_error.ts";
import { closeFile, openDirectoryPath } from "../sys/file.ts";
import { changeMode, changeOwner } from "../sys/inode.ts";
import { baseName, parentPath, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { AT_CWD, lstat } from "../sys/stat.ts";

/** Who may connect. */
export interface SocketAccess {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Throws ContextError unless there is a socket at `path`: a key file is for an agent to hold. */
export function checkAgent(id: string, path: string): void {
  const type = lstat(rawPath(path))?.type;
  if (type === "socket") return;
  const reason = type === undefined ? `there is no socket "${path}"` : `"${path}" is a ${type}, not an agent's socket`;
  const hint = "Start ssh-agent, add the keys with ssh-add, and give its socket";
  throw new ContextError({ action: "use ssh agent", source: id, reason }, { hint });
}

/** Listens at `place` and passes each connection on to the agent at `agentPath`, until it is disposed of. */
export function forwardAgent(agentPath: string, place: RawPath, { mode, uid, gid }: SocketAccess): AsyncDisposable {
  const listener = listenAt(place);
  changeOwner(AT_CWD, place, uid, gid);
  changeMode(AT_CWD, place, mode);
  const connections = new Set<Deno.UnixConn>();
  const served = serve(listener, agentPath, connections);
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      for (const connection of connections) close(connection);
      await served;
      await Deno.remove(pathText(place)).catch(() => undefined); // The command may have removed it.
    },
  };
}

/** The name of a socket has at most 107 bytes: it is reached through its open folder, however long the way there is. */
function listenAt(place: RawPath): Deno.UnixListener {
  const folder = openDirectoryPath(AT_CWD, parentPath(place));
  try {
    return Deno.listen({ transport: "unix", path: `/proc/self/fd/${folder}/${pathText(baseName(place))}` });
  } finally {
    closeFile(folder);
  }
}

async function serve(listener: Deno.UnixListener, agentPath: string, open: Set<Deno.UnixConn>): Promise<void> {
  const passing: Promise<void>[] = [];
  for await (const client of listener) passing.push(pass(client, agentPath, open));
  await Promise.all(passing);
}

/** One connection. An agent that is gone looks to the command like one that hangs up. */
async function pass(client: Deno.UnixConn, agentPath: string, open: Set<Deno.UnixConn>): Promise<void> {
  open.add(client);
  let agent: Deno.UnixConn | undefined;
  try {
    agent = await Deno.connect({ transport: "unix", path: agentPath });
    open.add(agent);
    await Promise.all([client.readable.pipeTo(agent.writable), agent.readable.pipeTo(client.writable)]);
  } catch {
    // Either side has ended.
  } finally {
    for (const connection of [client, agent]) {
      if (connection !== undefined) {
        open.delete(connection);
        close(connection);
      }
    }
  }
}

function close(connection: Deno.UnixConn): void {
  try {
    connection.close();
  } catch {
    // Its streams have closed it already.
  }
}
