// Who may see what: the clients, the companies that installed them, the projects and tools they are permitted in.
import type { Client, Login } from '../api/login.ts';
import { UnknownError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import type { World } from './world.ts';

type Change<T> = { [K in keyof T]?: T[K] | undefined };

export type ChangeAccess = {
  /** A new client, or a change of one; `companies` are those that installed the app: all, unless said otherwise. */
  putClient: (
    id: string,
    change: Change<{ secret: string; companies: string[] }>,
  ) => { id: string; companies: string[] };
  /** Returns the new secret; tokens issued before are void. */
  regenerateSecret: (clientId: string) => string;
  /** Voids every access token. */
  tokens: () => readonly string[];
  revokeTokens: () => void;
  changeCompany: (id: string, change: Change<{ connected: boolean; toolsOff: string[] }>) => void;
  changeProject: (id: string, change: Change<{ permitted: boolean; toolsOff: string[] }>) => void;
};

/** All of these throw UnknownError for a client, company or project that is not there. */
export function createChangeAccess({ world, login, ids }: { world: World; login: Login; ids: Ids }): ChangeAccess {
  return {
    putClient: (id, { secret, companies }) => {
      const known = login.clients.get(id);
      const client: Client = {
        id,
        secret: secret ?? known?.secret ?? ids.ulid(),
        companies: new Set(companies ?? known?.companies ?? world.companies.keys()),
      };
      login.clients.set(id, client);
      return { id, companies: [...client.companies] };
    },
    regenerateSecret: (clientId) => {
      const client = login.clients.get(clientId);
      if (client === undefined) throw new UnknownError(`there is no client ${clientId}`);
      return login.regenerateSecret(client);
    },
    tokens: () => login.issued(),
    revokeTokens: () => login.revoke(),
    changeCompany: (id, { connected, toolsOff }) => {
      const company = world.companies.get(id);
      if (company === undefined) throw new UnknownError(`there is no company ${id}`);
      if (toolsOff !== undefined) company.toolsOff = new Set(toolsOff);
      for (const { companies } of login.clients.values()) {
        if (connected === true) companies.add(id);
        if (connected === false) companies.delete(id);
      }
    },
    changeProject: (id, { permitted, toolsOff }) => {
      if (!world.all('Projects').some((project) => project.id === id))
        throw new UnknownError(`there is no project ${id}`);
      const access = world.access(id);
      access.permitted = permitted ?? access.permitted;
      if (toolsOff !== undefined) access.toolsOff = new Set(toolsOff);
    },
  };
}
