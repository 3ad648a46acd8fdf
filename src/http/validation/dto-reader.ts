import type { Type } from '@nestjs/common';
import { isObject } from '@nestjs/common/utils/shared.utils.js';
import { plainToInstance } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage } from 'class-validator';
import type { ErrorDetail } from '../errors/api-error.js';
import { unknownMember } from '../../suggestions/suggestions.js';

type Members = Record<string, unknown>;

/** The context of a value. */
interface Context {
  /** Collects the problems found. */
  problems: ErrorDetail[];
  /** From the root; empty for the root itself. */
  path: string;
  /** The members of a query are parameters, which must not be repeated. */
  kind: 'property' | 'parameter';
}

/**
 * Turns a value into a DTO, and its members into those of their own types (`@Type()`). Unknown members are left out, and
 * reported in `problems` with a suggestion.
 *
 * class-transformer and class-validator walk through every value that they get, and make one DTO per element of a list.
 * So they get only scalar members that the DTO knows. Other values are assigned unchanged, for their own constraints to
 * check, except that a list instead of a DTO is replaced by an empty one, which is just as invalid. Lists of DTOs are not
 * supported.
 */
export function readDto(dto: Type<object>, value: unknown, { problems, path, kind }: Context): unknown {
  if (Array.isArray(value)) return [];
  if (!isObject(value)) return value;
  const members = value as Members;
  const flat: Members = {};
  const rest: Members = {};
  for (const name of Object.keys(members)) {
    const child = members[name];
    const childPath = path ? `${path}.${name}` : name;
    if (!membersOf(dto).has(name)) {
      const parent = path ? `${path}.` : '';
      problems.push(unknownMember(name, pathsOf(dto), { parent, rank: problems.length, kind }));
    } else if (kind === 'parameter' && Array.isArray(child)) {
      problems.push({ path: childPath, message: 'is given more than once' });
    } else if (!isObject(child)) flat[name] = child;
    else rest[name] = readChild(dto, members, name, { problems, path: childPath, kind });
  }
  return Object.assign(plainToInstance(dto, flat), rest);
}

function readChild(dto: Type<object>, members: Members, property: string, context: Context): unknown {
  const type = defaultMetadataStorage.findTypeMetadata(dto, property);
  if (!type) return members[property];
  const childDto = type.typeFunction({ newObject: {}, object: members, property });
  return readDto(childDto as Type<object>, members[property], context);
}

const memberNames = new WeakMap<Type<object>, ReadonlySet<string>>();

/** The names of the members for which a DTO has constraints. */
export function membersOf(dto: Type<object>): ReadonlySet<string> {
  let names = memberNames.get(dto);
  if (!names) {
    const constraints = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    names = new Set(constraints.map(({ propertyName }) => propertyName));
    memberNames.set(dto, names);
  }
  return names;
}

const memberPaths = new WeakMap<Type<object>, readonly string[]>();

/** The paths of all members of a DTO and of the DTOs in it, the shortest first. */
function pathsOf(dto: Type<object>): readonly string[] {
  let all = memberPaths.get(dto);
  if (!all) {
    const names = [...membersOf(dto)];
    const inner = names.flatMap((name) => childPaths(dto, name).map((path) => `${name}.${path}`));
    all = [...names, ...inner].toSorted((one, other) => depthOf(one) - depthOf(other));
    memberPaths.set(dto, all);
  }
  return all;
}

function childPaths(dto: Type<object>, property: string): readonly string[] {
  const type = defaultMetadataStorage.findTypeMetadata(dto, property);
  return type ? pathsOf(type.typeFunction({ newObject: {}, object: {}, property }) as Type<object>) : [];
}

function depthOf(path: string): number {
  return path.split('.').length;
}
