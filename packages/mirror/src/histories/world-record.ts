import type { CataloguedResource } from '@procore-mirror/catalogue';

export type WorldRecord = {
  id: string;
  entry: CataloguedResource;
  state: number;
  /** `unborn` until it is created, `gone with its parent` until that comes back. */
  life: 'unborn' | 'alive' | 'deleted' | 'gone with its parent';
  /** Null for a record of the company. */
  projectId: string | null;
  parentId: string | null;
};
