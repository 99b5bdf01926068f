/** What the process gives: the only way in which the command line touches the world. */

/** Made by `main.ts`. */
export interface CliProcess {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly version: string;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (bytes: Uint8Array) => void;
  /** Whether standard error is a terminal. */
  readonly isErrTerminal?: boolean;
  /** The whole standard input. */
  readonly readIn: () => Promise<string>;
  /** Aborted with a CancelledError when a signal asks us to stop. */
  readonly signal: AbortSignal;
  readonly selfCommand: readonly string[];
  readonly currentDirectory: string;
}
