import { homedir } from "node:os";
import { join } from "node:path";

/** lorp's folder among the user's caches, where the platform keeps them. */
export function cacheFolder(
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const home = homedir();
  switch (platform) {
    case "darwin":
      return join(home, "Library", "Caches", "lorp");
    case "win32":
      return join(environment.LOCALAPPDATA ?? join(home, "AppData", "Local"), "lorp", "cache");
    default:
      return join(environment.XDG_CACHE_HOME || join(home, ".cache"), "lorp");
  }
}
