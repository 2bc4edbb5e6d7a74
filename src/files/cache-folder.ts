import { join } from "node:path";
import { homeFolder, userCaches, variable } from "../environment.ts";

/** lorp's folder among the user's caches, where the platform keeps them; undefined for a user without a home. */
export function cacheFolder(platform: NodeJS.Platform = process.platform): string | undefined {
  const home = homeFolder();
  switch (platform) {
    case "darwin":
      return home && join(home, "Library", "Caches", "lorp");
    case "win32": {
      const local = variable("LOCALAPPDATA") ?? (home && join(home, "AppData", "Local"));
      return local && join(local, "lorp", "cache");
    }
    default: {
      const caches = userCaches();
      return caches && join(caches, "lorp");
    }
  }
}
