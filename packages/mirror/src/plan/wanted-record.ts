/** What a plan knows of a record that is to be fetched. */
export type WantedRecord = {
  id: string;
  parentId: string | null;
  isDelete: boolean;
  isListed: boolean;
  /** When Procore says the newest change happened, ISO 8601; null when no event told. */
  occurredAt: string | null;
};
