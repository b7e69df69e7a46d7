import type pg from 'pg';

/** Takes a query: the pool, where the statement is a transaction by itself, or a transaction, of which it becomes a part. */
export type Queryable = Pick<pg.Pool, 'query'>;

declare const isOpen: unique symbol;

/** A connection inside a transaction, which `inTransaction` alone gives: what takes one is of no use, or does harm, by itself. */
export type Transaction = pg.ClientBase & { readonly [isOpen]: true };
