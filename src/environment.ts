import { homedir, userInfo } from "node:os";
import { isAbsolute, join } from "node:path";

/** A variable of the environment; an empty one counts as not set, as docker compose passes those it does not know. */
export function variable(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** The user's folder; undefined for a user who has none, such as a container's number without an entry in /etc/passwd. */
export function homeFolder(): string | undefined {
  for (const ask of [homedir, () => userInfo().homedir]) {
    try {
      const home = ask();
      if (isAbsolute(home)) return home;
    } catch {
      // Node throws what the system says of a user without an entry.
    }
  }
  return undefined;
}

/** Where programs keep what can be made again, by the XDG base directories; undefined without a home. */
export function userCaches(): string | undefined {
  const home = homeFolder();
  return variable("XDG_CACHE_HOME") ?? (home && join(home, ".cache"));
}
