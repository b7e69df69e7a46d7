import { ConfigError } from '@procore-mirror/runtime';

/** Null where what is read is not set, or wrong: that is told with the settings. */
export function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}
