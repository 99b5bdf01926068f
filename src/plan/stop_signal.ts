/** Which values STOPSIGNAL takes: Linux signal names, with or without SIG in any case, and numbers. */

const SIGNAL_NAMES: ReadonlySet<string> = new Set(
  ("ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP " +
    "TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ").split(" "),
);
/** RTMIN is 34 and RTMAX 64: offsets upward reach 15, downward 14, so that the two halves meet. */
const REALTIME = /^RT(?:MIN(?:\+(?:[1-9]|1[0-5]))?|MAX(?:-(?:[1-9]|1[0-4]))?)$/;
const MAX_SIGNAL = 64;

/** Whether `text` names a signal of Linux. */
export function isStopSignal(text: string): boolean {
  if (/^\+?\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= MAX_SIGNAL;
  const name = text.toUpperCase().replace(/^SIG/, "");
  return SIGNAL_NAMES.has(name) || REALTIME.test(name);
}
