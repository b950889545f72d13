/** A rota as a strip of time: who, and where nobody is. */
import type { JSX } from "preact";
import { personName } from "../city/directory";
import { moment } from "../words/format";
import { word } from "../words/language";
import type { Post } from "./rota";

interface Strip {
  post: Post;
  since: number;
  until: number;
}

export function RotaStrip({ post, since, until }: Strip): JSX.Element {
  const place = (from: string, to: string): { left: string; width: string } => {
    const at = (time: number): number => (100 * (Math.min(Math.max(time, since), until) - since)) / (until - since);
    const left = at(Date.parse(from));
    return { left: `${left}%`, width: `${at(Date.parse(to)) - left}%` };
  };
  const said = (from: string, to: string): string => `${moment(from, since)} – ${moment(to, since)}`;
  const people = [...new Set(post.shifts.map((shift) => shift.person))];
  return (
    <div class="strip" role="img" aria-label={word("duty.strip", { shifts: post.shifts.length, holes: post.holes.length })}>
      {post.shifts.map((shift) => (
        <span
          key={shift.id}
          class={`strip-shift ${shift.substitutes ? "substitute" : `turn-${people.indexOf(shift.person) % 2}`}`}
          style={place(shift.starts_at, shift.ends_at)}
          title={`${personName(post.organisation, shift.person)}: ${said(shift.starts_at, shift.ends_at)}`}
        >
          {personName(post.organisation, shift.person)}
        </span>
      ))}
      {post.holes.map((hole) => (
        <span
          key={hole.starts_at}
          class="strip-hole"
          style={place(hole.starts_at, hole.ends_at)}
          title={`${word("duty.nobody")}: ${said(hole.starts_at, hole.ends_at)}`}
        >
          ▲
        </span>
      ))}
    </div>
  );
}
