/** What a body may have at most; other bounds are the same for all bodies (`json-shape.ts`). */
export interface BodyBounds {
  bytes: number;
  /** The members of all its objects together. */
  members: number;
}

/** Unless a route has its own. The largest such body, a batch of 100 with every member and eight scopes each, has 1,400 values. */
export const ORDINARY_BOUNDS: BodyBounds = { bytes: 65_536, members: 2_000 };
