import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage } from 'class-validator';
import type { ErrorDetail } from '../errors/api-error.js';
import { isParent } from '../body/is-parent.js';
import { unknownMember } from '../../suggestions/suggestions.js';

type Members = Record<string, unknown>;

/** Where a value is read from. */
interface Place {
  /** What is wrong there is added to it. */
  offences: ErrorDetail[];
  /** From the top; empty there. */
  path: string;
  /** The members of a query are parameters, each of which may be there once. */
  kind: 'property' | 'parameter';
}

/**
 * Makes a DTO of a value, and of the values inside it for which it has DTOs (`@Type()`). Unknown members are left out,
 * and named in `offences`, with what was probably meant.
 *
 * class-transformer and class-validator walk through whatever they are given, and for a list through one DTO for each
 * of its elements. So all that they get of the client's is flat: the members that the DTO knows, whose values are
 * texts, numbers and the like. Other values are put in their place as they are, for their own constraints to judge;
 * but for a list in the place of a DTO, which is as wrong when it is empty. A list of DTOs is not provided for.
 */
export function readDto(dto: Type<object>, value: unknown, { offences, path, kind }: Place): unknown {
  if (Array.isArray(value)) return [];
  if (!isParent(value)) return value;
  const members = value as Members;
  const flat: Members = {};
  const rest: Members = {};
  for (const name of Object.keys(members)) {
    const child = members[name];
    const childPath = path ? `${path}.${name}` : name;
    if (!membersOf(dto).has(name)) {
      const parent = path ? `${path}.` : '';
      offences.push(unknownMember(name, pathsOf(dto), { parent, rank: offences.length, kind }));
    } else if (kind === 'parameter' && Array.isArray(child)) {
      offences.push({ path: childPath, message: 'is there more than once' });
    } else if (!isParent(child)) flat[name] = child;
    else rest[name] = readChild(dto, members, name, { offences, path: childPath, kind });
  }
  return Object.assign(plainToInstance(dto, flat), rest);
}

function readChild(dto: Type<object>, members: Members, property: string, place: Place): unknown {
  const type = defaultMetadataStorage.findTypeMetadata(dto, property);
  if (!type) return members[property];
  const childDto = type.typeFunction({ newObject: {}, object: members, property });
  return readDto(childDto as Type<object>, members[property], place);
}

const known = new WeakMap<Type<object>, ReadonlySet<string>>();

/** The members that a DTO has constraints for. */
export function membersOf(dto: Type<object>): ReadonlySet<string> {
  let names = known.get(dto);
  if (!names) {
    const constraints = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    names = new Set(constraints.map(({ propertyName }) => propertyName));
    known.set(dto, names);
  }
  return names;
}

const paths = new WeakMap<Type<object>, readonly string[]>();

/** The paths of all members of a DTO and of the DTOs in it, the shortest first. */
function pathsOf(dto: Type<object>): readonly string[] {
  let found = paths.get(dto);
  if (!found) {
    const names = [...membersOf(dto)];
    const inner = names.flatMap((name) => childPaths(dto, name).map((path) => `${name}.${path}`));
    found = [...names, ...inner].toSorted((one, other) => depthOf(one) - depthOf(other));
    paths.set(dto, found);
  }
  return found;
}

function childPaths(dto: Type<object>, property: string): readonly string[] {
  const type = defaultMetadataStorage.findTypeMetadata(dto, property);
  return type ? pathsOf(type.typeFunction({ newObject: {}, object: {}, property }) as Type<object>) : [];
}

function depthOf(path: string): number {
  return path.split('.').length;
}
