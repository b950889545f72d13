/** Who of a rota is on duty when: pure, the same rule as the service tells people by. */
import type { DutyAnswer, HoleAnswer, ShiftAnswer } from "../api/office";

export interface Post {
  organisation: string;
  role: string;
  shifts: ShiftAnswer[];
  holes: HoleAnswer[];
}

/** The shifts and holes of each organisation and role, in the order of their names. */
export function posts(duty: DutyAnswer): Post[] {
  const found = new Map<string, Post>();
  const postOf = ({ organisation, role }: { organisation: string; role: string }): Post => {
    const key = JSON.stringify([organisation, role]);
    const known = found.get(key) ?? { organisation, role, shifts: [], holes: [] };
    found.set(key, known);
    return known;
  };
  for (const shift of duty.shifts) postOf(shift).shifts.push(shift);
  for (const hole of duty.holes) postOf(hole).holes.push(hole);
  return [...found.values()].sort((a, b) => a.organisation.localeCompare(b.organisation) || a.role.localeCompare(b.role));
}

const holdsAt = (shift: ShiftAnswer, at: number): boolean => Date.parse(shift.starts_at) <= at && at < Date.parse(shift.ends_at);

/** Those on duty at a moment: a substitute instead of the absent. */
export function onDuty(shifts: readonly ShiftAnswer[], at: number): ShiftAnswer[] {
  const held = shifts.filter((shift) => holdsAt(shift, at));
  const absent = new Set(held.map((shift) => shift.substitutes));
  return held.filter((shift) => shift.substitutes !== null || !absent.has(shift.person));
}

/** The next to come on duty after a moment. */
export function nextOnDuty(shifts: readonly ShiftAnswer[], at: number): ShiftAnswer | undefined {
  return shifts
    .filter((shift) => Date.parse(shift.starts_at) > at)
    .sort((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at))[0];
}
